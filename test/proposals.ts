import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { makeProposal } from '../src/host/repositories/proposals-in-test.ts'
import { connectOps } from '../src/kit/op-client.ts'
import { managerOps } from '../src/wire/agent-ops.ts'
import type { TestHive } from './hive.ts'

/** Runs git and gives what it prints, without the last line end. */
export const git = (directory: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'safe.directory=*', '-C', directory, ...args], { encoding: 'utf8' }).replace(/\n$/, '')

/** The applied repository of an agent. */
export const appliedOf = ({ stateDir }: Pick<TestHive, 'stateDir'>, agent: string): string =>
  join(stateDir, 'applied', agent, '.git')

/**
 * Proposes a commit as the manager's harness does, without an engine: these files on top of what is deployed, over the manager's
 * socket.
 */
export async function propose(
  hive: Pick<TestHive, 'stateDir' | 'runDir'>,
  agent: string,
  files: Record<string, string>,
): Promise<{ id: number; sha: string; base: string }> {
  const { sha, pack } = makeProposal(appliedOf(hive, agent), files)
  await using manager = await connectOps(managerOps, join(hive.runDir, 'agents/manager/mcp.sock'))
  return await manager.call.request_apply_commit({ agent, sha, pack: pack.toString('base64') })
}

/** Approves what is shown now. */
export async function approve(hive: Pick<TestHive, 'host'>, id: number): Promise<void> {
  const host = await hive.host()
  const { approval } = await host.show({ id })
  await host.approve({ id, base: approval.base, sha: approval.sha })
}

/** Names of the tags of an approval. */
export const tagsOf = (hive: Pick<TestHive, 'stateDir'>, agent: string, id: number): string[] =>
  git(appliedOf(hive, agent), 'tag', '--list', `*/${id}`)
    .split('\n')
    .filter(Boolean)
    .map((tag) => tag.slice(0, tag.indexOf('/')))

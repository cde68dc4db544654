import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { connectOps } from '../src/kit/op-client.ts'
import { managerOps } from '../src/wire/agent-ops.ts'
import type { TestHive } from './hive.ts'

const IDENTITY = ['-c', 'user.name=manager', '-c', 'user.email=manager@hive', '-c', 'safe.directory=*']

/** Runs git and gives what it prints, without the last line end. */
export const git = (directory: string, ...args: string[]): string =>
  execFileSync('git', [...IDENTITY, '-C', directory, ...args], { encoding: 'utf8' }).replace(/\n$/, '')

/** The applied repository of an agent. */
export const appliedOf = ({ stateDir }: Pick<TestHive, 'stateDir'>, agent: string): string =>
  join(stateDir, 'applied', agent, '.git')

/**
 * Proposes a commit as the manager's harness does, without an engine: a clone, a commit with these files on top of what is
 * deployed or of `parent`, its pack over the manager's socket.
 */
export async function propose(
  hive: Pick<TestHive, 'stateDir' | 'runDir'>,
  agent: string,
  files: Record<string, string>,
  { parent = 'main', message = 'change it' }: { parent?: string; message?: string } = {},
): Promise<{ id: number; sha: string; base: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'proposal-'))
  try {
    git('/', 'clone', '-q', '--no-checkout', appliedOf(hive, agent), directory)
    git(directory, 'fetch', '-q', 'origin', '+refs/tags/*:refs/tags/*')
    git(directory, 'checkout', '-q', '--detach', parent)
    for (const [name, content] of Object.entries(files)) {
      const file = join(directory, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    }
    git(directory, 'add', '-A')
    git(directory, 'commit', '-q', '--allow-empty', '-m', message)
    const sha = git(directory, 'rev-parse', 'HEAD')
    const pack = execFileSync(
      'git',
      [...IDENTITY, '-C', directory, 'pack-objects', '-q', '--revs', '--thin', '--stdout'],
      {
        input: `${sha}\n^${git(directory, 'rev-parse', 'origin/main')}\n`,
      },
    )
    await using manager = await connectOps(managerOps, join(hive.runDir, 'agents/manager/mcp.sock'))
    return await manager.call.request_apply_commit({ agent, sha, pack: pack.toString('base64') })
  } finally {
    rmSync(directory, { recursive: true })
  }
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

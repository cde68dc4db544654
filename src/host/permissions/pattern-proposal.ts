import { AGENT_CONFIG_FILE } from '../../wire/agent-config.ts'
import type { Approval } from '../../wire/approvals.ts'
import { HiveError } from '../../wire/errors.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Approvals } from '../approvals/approvals.ts'
import { parseAgentConfig } from '../repositories/agent-config-file.ts'
import type { AppliedRepositories } from '../repositories/applied-repositories.ts'
import { MAX_CONFIG_BYTES } from '../repositories/proposal-intake.ts'
import { isCovered } from './bash-pattern.ts'
import type { Permissions } from './permissions.ts'

export interface PatternProposalDeps {
  readonly permissions: Pick<Permissions, 'get'>
  readonly repositories: Pick<AppliedRepositories, 'main' | 'readFile' | 'draft'>
  readonly approvals: Pick<Approvals, 'requestApplyCommit'>
}

/**
 * Proposes to allow for good what a permission was asked for: a commit on top of what its agent runs with, which waits for an
 * approval like any other. Throws `bad_input` when it was no command, or the pattern is none, `conflict` when that is allowed.
 */
export async function proposePattern(
  { permissions, repositories, approvals }: PatternProposalDeps,
  { id, pattern }: { id: number; pattern: string },
): Promise<Approval> {
  const { agent, tool } = permissions.get(id)
  if (tool !== 'Bash') {
    throw new HiveError(
      'bad_input',
      `permission ${id} is about ${tool}: only commands of Bash can be allowed for good`,
      {
        hint: `hive permit ${id} permits this one use`,
      },
    )
  }
  const base = await repositories.main(agent)
  const text = allowPattern(await repositories.readFile(agent, base, AGENT_CONFIG_FILE, MAX_CONFIG_BYTES), pattern)
  const subject = `let Bash run ${JSON.stringify(pattern)}`
  const { sha, pack } = await repositories.draft(agent, base, { [AGENT_CONFIG_FILE]: text }, subject)
  const description = `${subject}, as permission ${id} asked for`
  return approvals.requestApplyCommit({ agent, sha, pack, requester: OPERATOR, description })
}

/** The text of `agent.json` with one pattern more. Throws `conflict` when it is allowed already, `bad_input` when it cannot stand there. */
export function allowPattern(text: string | undefined, pattern: string): string {
  const { bash } = parseAgentConfig(text)
  if (bash === undefined) {
    throw new HiveError('conflict', 'its configuration has no `bash`: every command is allowed already', {
      hint: 'what it asks for is no matter of commands; hive permit permits one use',
    })
  }
  if (isCovered(bash, pattern)) throw new HiveError('conflict', `${JSON.stringify(pattern)} is allowed already`)
  const changed = `${JSON.stringify({ ...JSON.parse(text as string), bash: [...bash, pattern] }, null, 2)}\n`
  parseAgentConfig(changed)
  return changed
}

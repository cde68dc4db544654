import { join } from 'node:path'
import type { z } from 'zod'
import { MAX_PACK_BYTES, managerOps } from '../../wire/agent-ops.ts'
import { HiveError } from '../../wire/errors.ts'
import type { Preparation } from '../mcp/hive-tools.ts'
import { Git } from './git.ts'
import { writeGitConfig } from './git-config.ts'
import { agentsIn, keepClone } from './keep-repositories.ts'
import type { RepositoryPlaces } from './places.ts'

const { request_apply_commit } = managerOps
const APPLIED_MAIN = 'refs/remotes/applied/main'

/** What the tools of the one who has repositories, the manager, need on top of their ops. */
export const proposalTools = (places: RepositoryPlaces | undefined): Record<string, Preparation> =>
  places ? { request_apply_commit: prepareProposal(places) } : {}

/**
 * Makes of a call of the tool `request_apply_commit` the op's: resolves the commit in the manager's clone and packs what
 * `applied/main` has not. What is refused is told so that the model can mend it.
 */
const prepareProposal =
  (places: RepositoryPlaces): Preparation =>
  async (said) => {
    const { agent, commit_ref, description } = request_apply_commit.tool.parse(said)
    const git = new Git(places)
    const clone = join(places.proposed, agent)
    const agents = await agentsIn(places.applied)
    if (!agents.includes(agent)) {
      throw new HiveError('not_found', `there is no repository of ${agent}`, {
        hint: 'a new agent needs request_init_config first; its repository is there once that is approved',
      })
    }
    await writeGitConfig(places, agents)
    await keepClone(git, places, agent)
    const base = await findCommit(git, clone, APPLIED_MAIN)
    const sha = await findCommit(git, clone, commit_ref)
    await assertDescends(git, clone, { base, sha })
    const uncommitted = await countUncommitted(git, clone)
    const pack = (await packCommits(git, clone, { base, sha })).toString('base64')
    return {
      input: { agent, sha, pack, description },
      describe: (output) =>
        describeProposal(request_apply_commit.output.parse(output), { agent, uncommitted, isSame: sha === base }),
    }
  }

interface Range {
  /** What runs. */
  readonly base: string
  readonly sha: string
}

async function findCommit(git: Git, clone: string, ref: string): Promise<string> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]
  const { exitCode, stdout } = await git.attempt(clone, args)
  if (exitCode === 0) return stdout.toString('utf8').trim()
  throw new HiveError('not_found', `there is no commit ${ref} in ${clone}`, { hint: `git -C ${clone} log --all` })
}

async function assertDescends(git: Git, clone: string, { base, sha }: Range): Promise<void> {
  const { exitCode } = await git.attempt(clone, ['merge-base', '--is-ancestor', base, sha])
  if (exitCode === 0) return
  const isRelated = (await git.attempt(clone, ['merge-base', base, sha])).exitCode === 0
  throw new HiveError('bad_input', `commit ${sha.slice(0, 12)} is not based on what runs, applied/main`, {
    hint: isRelated
      ? `git -C ${clone} rebase applied/main, then propose the new commit`
      : `the repository was made anew: git -C ${clone} checkout -B main applied/main, then commit your change again`,
  })
}

/** Files of the work tree that no commit holds as they are. */
async function countUncommitted(git: Git, clone: string): Promise<number> {
  const args = ['status', '--porcelain=v1', '--null', '--no-renames', '--untracked-files=all']
  return (await git.run(clone, args)).toString('latin1').split('\0').length - 1
}

async function packCommits(git: Git, clone: string, { base, sha }: Range): Promise<Buffer> {
  try {
    return await git.run(clone, ['pack-objects', '--quiet', '--revs', '--thin', '--stdout'], {
      stdin: `${sha}\n^${base}\n`,
      maxBytes: MAX_PACK_BYTES,
    })
  } catch (error) {
    if (!(error instanceof HiveError) || error.code !== 'too_large') throw error
    throw new HiveError('too_large', `the proposal is larger than ${MAX_PACK_BYTES} bytes, packed`, {
      hint: 'keep data in /state, not in the repository, and leave it out of every commit since applied/main',
      cause: error,
    })
  }
}

type Proposed = z.infer<typeof request_apply_commit.output>

function describeProposal(
  { id, sha, base }: Proposed,
  { agent, uncommitted, isSame }: { agent: string; uncommitted: number; isSame: boolean },
): string {
  return [
    `Approval ${id}: commit ${sha.slice(0, 12)} of ${agent} (what runs: ${base.slice(0, 12)}) waits for the operator.`,
    ...(isSame ? ['It is what runs: it changes nothing.'] : []),
    ...(uncommitted > 0
      ? [
          `${uncommitted} ${uncommitted === 1 ? 'file is' : 'files are'} changed but not committed: not part of this proposal.`,
        ]
      : []),
    'The event approval_resolved tells you how it ends. To wait for it, end your turn.',
  ].join('\n')
}

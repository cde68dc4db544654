import { createHash } from 'node:crypto'
import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { flush } from '../../kit/flush.ts'
import { createGit, type Git } from '../../kit/git.ts'
import { AGENT_CONFIG_FILE } from '../../wire/agent-config.ts'
import { HiveError } from '../../wire/errors.ts'
import { parseAgentConfig } from './agent-config-file.ts'
import { readFileOf, readObjects } from './objects.ts'
import { listTree } from './tree.ts'

export interface Proposal {
  /** Of the approval that it belongs to. */
  readonly id: number
  /** Full id of the commit. */
  readonly sha: string
  /** What `git pack-objects --revs --thin` made of what `main` has not; may be empty. */
  readonly pack: Buffer
}

/** Agents keep text of some KiB in `agent.json`; the schema's own limits are near that. */
export const MAX_CONFIG_BYTES = 256 * 1024
const MAX_PACK_BYTES = 1_000_000
/** Four times what a commit needs that changes each of the files that a tree may have: room for the steps that led to it. */
const MAX_OBJECTS = 2000
/** At the end of a pack, the SHA-1 of what is before it. */
const SUM_BYTES = 20
const TIMEOUT_MS = 20_000

/**
 * Looks at a proposal without letting it into the repository: its pack is unpacked in `quarantine`, a directory that is there
 * and empty. Gives what runs now, on which it is based. Throws why it is refused: `bad_input`, `too_large`, `timeout`.
 */
export async function inspectProposal(
  { gitDir }: Git,
  quarantine: string,
  { sha, pack }: Omit<Proposal, 'id'>,
): Promise<{ base: string }> {
  const git = createGit({ gitDir, quarantine })
  await mkdir(join(quarantine, 'pack'))
  if (pack.length > 0) await unpack(git, pack)
  const base = await findBase(git, sha)
  await assertComplete(git, sha)
  await listTree(git, sha)
  parseAgentConfig(await readFileOf(git, sha, AGENT_CONFIG_FILE, MAX_CONFIG_BYTES))
  return { base }
}

/** Lets what was inspected into the repository. Resolves when it is on the disk; nothing refers to it yet. */
export async function adoptObjects({ gitDir }: Git, quarantine: string): Promise<void> {
  const [from, to] = [join(quarantine, 'pack'), join(gitDir, 'objects', 'pack')]
  await mkdir(to, { recursive: true })
  // An index without its pack is an error to whoever reads at this moment; a pack without its index is not seen.
  const names = (await readdir(from)).sort((a, b) => Number(b.endsWith('.pack')) - Number(a.endsWith('.pack')))
  for (const name of names) await flush(join(from, name))
  for (const name of names) await rename(join(from, name), join(to, name))
  await flush(to)
}

async function unpack(git: Git, pack: Buffer): Promise<void> {
  if (pack.length > MAX_PACK_BYTES) throw new HiveError('too_large', `the pack has more than ${MAX_PACK_BYTES} bytes`)
  if (pack.toString('latin1', 0, 4) !== 'PACK' || pack.length < 32)
    throw refusal('what is sent with it is no pack of git')
  // Git looks no further than where the objects end.
  const sum = createHash('sha1').update(pack.subarray(0, -SUM_BYTES)).digest()
  if (!sum.equals(pack.subarray(-SUM_BYTES))) throw refusal('its pack is damaged, or more follows it')
  const objects = pack.readUInt32BE(8)
  if (objects > MAX_OBJECTS) {
    throw new HiveError('too_large', `the proposal adds ${objects} objects, at most ${MAX_OBJECTS} are allowed`, {
      hint: 'keep data in /state, and squash commits',
    })
  }
  if (objects === 0) return
  const args = ['index-pack', '--stdin', '--fix-thin', '--strict', `--max-input-size=${MAX_PACK_BYTES}`] as const
  const { exitCode, stderr } = await git.attempt(args, { stdin: pack, timeoutMs: TIMEOUT_MS })
  if (exitCode !== 0) throw refusal(stderr)
}

/** That `sha` is a commit, and one that continues what runs. */
async function findBase(git: Git, sha: string): Promise<string> {
  const [commit, main] = await readObjects(git, [
    { name: sha, content: false },
    { name: 'refs/heads/main', content: false },
  ])
  if (!commit) throw refusal(`there is no commit ${sha} in its pack`)
  if (commit.type !== 'commit') throw refusal(`${sha} is a ${commit.type}, not a commit`)
  if (!main) throw new HiveError('internal', `${git.gitDir} has no main`)
  if (!(await descendsFrom(git, main.id, sha))) {
    throw new HiveError('bad_input', 'the proposal is not based on what runs now, applied/main', {
      hint: 'git fetch applied && git rebase applied/main, then propose again',
    })
  }
  return main.id
}

/** Whether a commit is another, or came after it. */
export async function descendsFrom(git: Git, ancestor: string, sha: string): Promise<boolean> {
  const { exitCode, stderr } = await git.attempt(['merge-base', '--is-ancestor', ancestor, sha], {
    timeoutMs: TIMEOUT_MS,
  })
  if (exitCode > 1) throw refusal(stderr)
  return exitCode === 0
}

/** Everything that the commit refers to must be there: nothing can be added later. */
async function assertComplete(git: Git, sha: string): Promise<void> {
  const args = ['rev-list', '--objects', '--quiet', sha, '--not', '--all', '--'] as const
  const { exitCode, stderr } = await git.attempt(args, { timeoutMs: TIMEOUT_MS })
  if (exitCode !== 0) throw refusal(`something that it refers to is missing: ${stderr}`)
}

const refusal = (why: string): HiveError => new HiveError('bad_input', `the proposal cannot be taken: ${why}`)

import type { Git } from '../../kit/git.ts'
import { HiveError } from '../../wire/errors.ts'
import { readObjects } from './objects.ts'
import { spellOut } from './spelled-out.ts'

/** What a commit says of itself, with everything hidden spelled out. */
export interface CommitWords {
  /** `name <address>` */
  readonly author: string
  /** Unix milliseconds. */
  readonly at: number
  readonly message: string
}

const MAX_MESSAGE = 8 * 1024
const MAX_AUTHOR = 200

/** Throws `not_found`. */
export async function readCommit(git: Git, sha: string): Promise<CommitWords> {
  const [commit] = await readObjects(git, [{ name: sha, content: true }])
  if (commit?.type !== 'commit') throw new HiveError('not_found', `there is no commit ${sha}`)
  const end = commit.content.indexOf('\n\n')
  const headers = spellOut(commit.content.subarray(0, end)).text
  const [, author = '', seconds = '0'] = headers.match(/^author (.*?) ?(-?\d+) [+-]\d+$/m) ?? []
  const message = spellOut(commit.content.subarray(end + 2)).text.trim()
  return { author: cut(author, MAX_AUTHOR), at: Number(seconds) * 1000, message: cut(message, MAX_MESSAGE) }
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text)

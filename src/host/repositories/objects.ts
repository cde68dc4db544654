import { isUtf8 } from 'node:buffer'
import type { Git } from '../../kit/git.ts'
import { CommitId } from '../../wire/approvals.ts'
import { HiveError } from '../../wire/errors.ts'

export interface GitObject {
  readonly id: string
  readonly type: string
  /** Bytes. */
  readonly size: number
  /** Empty unless it was asked for. */
  readonly content: Buffer
}

export interface ObjectRequest {
  /** An id, or `<commit>:<path>`. */
  readonly name: string
  readonly content: boolean
}

const MAX_BYTES = 8 * 1024 * 1024
/** What is said of two objects beside their content. */
const LINES_BYTES = 200

/**
 * Reads objects, all with one process; undefined for those that are not there. Throws `too_large` when there is more of them
 * than `maxBytes` (8 MiB), with about 60 bytes for each.
 */
export async function readObjects(
  git: Git,
  requests: readonly ObjectRequest[],
  { maxBytes = MAX_BYTES }: { maxBytes?: number } = {},
): Promise<(GitObject | undefined)[]> {
  const stdin = requests.map(({ name, content }) => `${content ? 'contents' : 'info'} ${name}\n`).join('')
  const output = await git.run(['cat-file', '--batch-command'], { stdin, maxBytes })
  let at = 0
  return requests.map(({ name, content }) => {
    const end = output.indexOf('\n', at)
    const line = output.toString('utf8', at, end)
    at = end + 1
    if (end >= 0 && line === `${name} missing`) return undefined
    const [, id, type, size] = line.match(/^([0-9a-f]{40}) ([a-z]+) (\d+)$/) ?? []
    if (!id || !type) throw new HiveError('internal', `git cat-file answers ${JSON.stringify(line)}`)
    const length = content ? Number(size) : 0
    const object = { id, type, size: Number(size), content: output.subarray(at, at + length) }
    if (content) at += length + 1
    return object
  })
}

/** Throws `bad_input` for anything but the full id of a commit: git would take a name of a ref or an option too. */
export function assertCommitId(sha: string): void {
  if (CommitId.safeParse(sha).success) return
  throw new HiveError('bad_input', 'a commit is named by its full 40 hex digits')
}

/**
 * Reads a text file of a commit; undefined when there is none. Throws `too_large` above `maxBytes`, `bad_input` when it is not
 * UTF-8, `not_found` without the commit.
 */
export async function readFileOf(git: Git, sha: string, path: string, maxBytes: number): Promise<string | undefined> {
  const [commit, file] = await readObjects(
    git,
    [
      { name: sha, content: false },
      { name: `${sha}:${path}`, content: true },
    ],
    { maxBytes: maxBytes + LINES_BYTES },
  ).catch((error) => {
    if (!(error instanceof HiveError) || error.code !== 'too_large') throw error
    throw new HiveError('too_large', `${path} has more than ${maxBytes} bytes`)
  })
  // A commit that is gone must not read like one without the file.
  if (commit?.type !== 'commit') throw new HiveError('not_found', `there is no commit ${sha}`)
  if (!file) return undefined
  if (file.type !== 'blob') throw new HiveError('bad_input', `${path} is not a file`)
  if (!isUtf8(file.content)) throw new HiveError('bad_input', `${path} is not UTF-8`)
  return file.content.toString('utf8')
}

import { isUtf8 } from 'node:buffer'
import type { Git } from '../../kit/git.ts'
import { HiveError } from '../../wire/errors.ts'
import { isPlain, spellOut } from './spelled-out.ts'

export interface TreeFile {
  /** UTF-8 that can be seen, below the top of the tree. */
  readonly path: string
  readonly isExecutable: boolean
  readonly id: string
  /** Bytes. */
  readonly size: number
}

export const MAX_FILES = 500
export const MAX_TREE_BYTES = 4 * 1024 * 1024
const MAX_PATH_BYTES = 512
const MAX_DEPTH = 32
/** Of all paths: the list of what a proposal changes is shown whole, on one line of 1 MiB. */
const MAX_PATHS_BYTES = 32 * 1024
/** More than the legal number of files and directories can make. */
const MAX_LISTING_BYTES = 512 * 1024

/**
 * The files of a commit, none of which has been read. Throws `bad_input` or `too_large` when the tree holds what no
 * configuration may: anything but ordinary files, paths that would lead elsewhere or cannot be seen, files that change how git
 * shows or fetches others, too many, too large.
 */
export async function listTree(git: Git, sha: string): Promise<TreeFile[]> {
  // With the directories: a tree that holds itself many times over, and no file, has to show.
  const args = ['ls-tree', '-r', '-t', '-l', '-z', '--full-tree', sha] as const
  const listing = await git.run(args, { maxBytes: MAX_LISTING_BYTES }).catch((error) => {
    throw error instanceof HiveError && error.code === 'too_large'
      ? tooLarge(`has more than ${MAX_FILES} files`)
      : error
  })
  return parseTree(listing)
}

/** Parses what `ls-tree -r -t -l -z` says, and checks it as `listTree` does. */
export function parseTree(listing: Buffer): TreeFile[] {
  const files = split(listing).flatMap(parseEntry)
  if (files.length > MAX_FILES) throw tooLarge(`has more than ${MAX_FILES} files`)
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  if (bytes > MAX_TREE_BYTES) {
    throw tooLarge(
      `has ${(bytes / 1024 / 1024).toFixed(1)} MiB of files, at most ${MAX_TREE_BYTES / 1024 / 1024} are allowed`,
    )
  }
  const paths = files.reduce((sum, { path }) => sum + Buffer.byteLength(path), 0)
  if (paths > MAX_PATHS_BYTES) throw tooLarge('has paths that are too long together')
  return files
}

function split(listing: Buffer): Buffer[] {
  const entries: Buffer[] = []
  for (let at = 0; at < listing.length; ) {
    const end = listing.indexOf(0, at)
    entries.push(listing.subarray(at, end))
    at = end + 1
  }
  return entries
}

const ENTRY = /^(\d{6}) (?:blob|tree|commit) ([0-9a-f]{40}) +(\d+|-|BAD)$/

function parseEntry(entry: Buffer): TreeFile[] {
  const tab = entry.indexOf('\t')
  const [, mode = '', id = '', size = ''] = entry.toString('latin1', 0, tab).match(ENTRY) ?? []
  const path = checkPath(entry.subarray(tab + 1))
  if (mode === '040000') return []
  if (mode !== '100644' && mode !== '100755') throw refuse(path, KINDS[mode] ?? `has the mode ${mode}`)
  if (!/^\d+$/.test(size)) throw refuse(path, 'has no content')
  return [{ path, isExecutable: mode === '100755', id, size: Number(size) }]
}

const KINDS: Record<string, string> = { 120000: 'is a symbolic link', 160000: 'is a submodule' }

function checkPath(bytes: Buffer): string {
  const path = bytes.toString('utf8')
  if (!isUtf8(bytes) || !isPlain(path)) throw refuse(spellOut(bytes).text, 'has a name that cannot be seen as it is')
  if (bytes.length > MAX_PATH_BYTES) throw refuse(`${path.slice(0, 40)}…`, 'has a path that is too long')
  const parts = path.split('/')
  if (parts.length > MAX_DEPTH) throw refuse(`${path.slice(0, 40)}…`, `is more than ${MAX_DEPTH} directories deep`)
  const wrong = parts.find((part) => FORBIDDEN.has(part.toLowerCase()))
  if (wrong !== undefined) throw refuse(path, FORBIDDEN.get(wrong.toLowerCase()) as string)
  return path
}

const LEADS_ELSEWHERE = 'has a name that would lead elsewhere'
const FORBIDDEN: ReadonlyMap<string, string> = new Map([
  ['', LEADS_ELSEWHERE],
  ['.', LEADS_ELSEWHERE],
  ['..', LEADS_ELSEWHERE],
  ['.git', 'has a name that is git’s own'],
  ['.gitattributes', 'could hide changes from whoever reviews them'],
  ['.gitmodules', 'names other repositories'],
])

const refuse = (path: string, why: string): HiveError =>
  new HiveError('bad_input', `the proposal cannot be taken: ${path} ${why}`, {
    hint: 'only ordinary files can be deployed; commit without it',
  })

const tooLarge = (what: string): HiveError =>
  new HiveError('too_large', `the proposal cannot be taken: it ${what}`, { hint: 'keep data in /state' })

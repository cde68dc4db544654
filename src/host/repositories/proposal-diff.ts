import type { Git } from '../../kit/git.ts'
import type { Diff } from '../../wire/approvals.ts'
import { HiveError } from '../../wire/errors.ts'
import { type SpelledOut, spellOut } from './spelled-out.ts'

type ChangedFile = Diff['files'][number]

/** Everything that a configuration or an attribute could say otherwise is said here. */
const OPTIONS = [
  '-r',
  '--raw',
  '--patch',
  '--text',
  '--full-index',
  '--unified=3',
  '--inter-hunk-context=0',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--no-relative',
  '--submodule=short',
  '--ignore-submodules=none',
  '--diff-algorithm=myers',
  '--src-prefix=a/',
  '--dst-prefix=b/',
]

/** Two trees of legal size differ by no more. */
const MAX_BYTES = 32 * 1024 * 1024
/** As JSON: the reply that holds it is one line of 1 MiB. */
const MAX_TEXT_BYTES = 500 * 1024
const MAX_REPLY_BYTES = 900 * 1024
/** What is further to the right is easily missed. */
const LONG_LINE = 500
/** Of hidden characters that are named. */
const MAX_NAMED = 5

/** What differs between two commits. Throws `internal` when git cannot say. */
export async function diffCommits(git: Git, base: string, sha: string): Promise<Diff> {
  const output = await git.run(['diff-tree', ...OPTIONS, base, sha, '--'], { maxBytes: MAX_BYTES })
  return { base, sha, ...parseDiff(output) }
}

/** Parses what git says to `OPTIONS`: a line for each file, an empty line, the patch. */
export function parseDiff(output: Buffer): Pick<Diff, 'files' | 'text' | 'truncated'> {
  if (output.length === 0) return { files: [], text: '', truncated: null }
  const end = output.indexOf('\n\n')
  const raw = output.toString('latin1', 0, end).split('\n')
  const sections = splitSections(output.subarray(end + 2)).map(spellOut)
  if (end < 0 || sections.length !== raw.length) {
    throw new HiveError('internal', `git tells of ${raw.length} changed files, and shows ${sections.length}`)
  }
  const files = raw.map((line, n) => describeFile(line, sections[n] as SpelledOut))
  const text = sections.map((section) => section.text).join('')
  const budget = Math.min(MAX_TEXT_BYTES, MAX_REPLY_BYTES - jsonBytes(files))
  const bytes = jsonBytes(text)
  if (bytes <= budget) return { files, text, truncated: null }
  const truncated = `it is too long to be shown whole: ${Math.ceil(bytes / 1024)} KiB`
  return { files, text: cut(text, budget), truncated }
}

/** The patch of each file. No line of a file’s content begins like this: each has a sign before it. */
function splitSections(patch: Buffer): Buffer[] {
  const starts: number[] = []
  const header = '\ndiff --git '
  if (patch.indexOf(header.slice(1)) === 0) starts.push(0)
  for (let at = patch.indexOf(header); at >= 0; at = patch.indexOf(header, at + 1)) starts.push(at + 1)
  return starts.map((start, n) => patch.subarray(start, starts[n + 1]))
}

const RAW = /^:(\d{6}) (\d{6}) [0-9a-f]+ [0-9a-f]+ ([A-Z])\t(.*)$/
const CHANGES: Record<string, ChangedFile['change']> = { A: 'added', D: 'deleted', M: 'modified', T: 'modified' }

function describeFile(line: string, section: SpelledOut): ChangedFile {
  const [, before = '', after = '', letter = '', path = ''] = line.match(RAW) ?? []
  const change = CHANGES[letter]
  if (!change) throw new HiveError('internal', `git shows a change as ${JSON.stringify(line)}`)
  const lines = section.text.split('\n')
  const remarks = [...remarkModes(before, after), ...remarkContent(lines, section.hidden)]
  return { path, change, ...countLines(lines), remarks }
}

/** Not left to git: it counts none in large files. */
function countLines(lines: readonly string[]): { added: number; removed: number } {
  const first = lines.findIndex((line) => line.startsWith('@@ '))
  const hunks = first < 0 ? [] : lines.slice(first)
  const count = (sign: string) => hunks.filter((line) => line.startsWith(sign)).length
  return { added: count('+'), removed: count('-') }
}

const FILE = '100644'
const EXECUTABLE = '100755'
const ABSENT = '000000'

function remarkModes(before: string, after: string): string[] {
  if (before === after || (before === ABSENT && after === FILE) || after === ABSENT) return []
  if (before === ABSENT && after === EXECUTABLE) return ['is executable']
  if (before === FILE && after === EXECUTABLE) return ['becomes executable']
  if (before === EXECUTABLE && after === FILE) return ['is no longer executable']
  return [`changes its mode from ${before} to ${after}`]
}

function remarkContent(lines: readonly string[], hidden: SpelledOut['hidden']): string[] {
  const longest = lines.reduce((most, { length }) => Math.max(most, length), 0)
  const isBinary = hidden.some((name) => name === 'U+0000' || name.startsWith('0x'))
  const more = hidden.length > MAX_NAMED ? ` and ${hidden.length - MAX_NAMED} more` : ''
  return [
    ...(isBinary ? ['holds binary content'] : []),
    ...(hidden.length > 0 ? [`holds hidden characters: ${hidden.slice(0, MAX_NAMED).join(', ')}${more}`] : []),
    ...(longest > LONG_LINE ? [`has a line of ${longest} characters`] : []),
  ]
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** As many whole lines as `budget` bytes of JSON can hold. */
function cut(text: string, budget: number): string {
  let [bytes, end] = [0, 0]
  for (;;) {
    const next = text.indexOf('\n', end) + 1
    if (next === 0) return text.slice(0, end)
    bytes += jsonBytes(text.slice(end, next))
    if (bytes > budget) return text.slice(0, end)
    end = next
  }
}

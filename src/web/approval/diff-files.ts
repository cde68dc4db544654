import { visible } from '../ui/visible.ts'

/** One file of a diff. */
export interface DiffFile {
  readonly name: string
  /** As git says it of this file alone, with every character that a reader could not see spelled out. */
  readonly text: string
  readonly added: number
  readonly removed: number
  readonly lines: number
}

/** Beyond either a diff is a list of files, each shown on demand. */
const MAX_CHARACTERS = 1024 * 1024
const MAX_LINES = 5_000

/** The files of the output of `git diff`, in its order. That a line ends in another way is a change like any other: it is shown. */
export const diffFiles = (text: string): DiffFile[] =>
  visible(text.replaceAll('\r', '<U+000D>'))
    .split(/^(?=diff --git )/m)
    .filter((part) => part.startsWith('diff --git '))
    .map(readFile)

export const isLarge = (files: readonly DiffFile[]): boolean =>
  sum(files.map(({ text }) => text.length)) > MAX_CHARACTERS || sum(files.map(({ lines }) => lines)) > MAX_LINES

function readFile(text: string): DiffFile {
  const lines = text.replace(/\n$/, '').split('\n')
  const start = lines.findIndex((line) => line.startsWith('@@ '))
  const [head, body] = start < 0 ? [lines, []] : [lines.slice(0, start), lines.slice(start)]
  const count = (mark: string): number => body.filter((line) => line.startsWith(mark)).length
  return { name: nameOf(head), text, added: count('+'), removed: count('-'), lines: lines.length }
}

/** By the lines that name one file only; those of a change of mode or of a binary are in the first line alone. */
function nameOf(head: readonly string[]): string {
  const after = (start: string): string | undefined => head.find((line) => line.startsWith(start))?.slice(start.length)
  const side = (start: string, prefix: string): string | undefined => {
    const name = after(start)
    return name === undefined || name === '/dev/null' ? undefined : withoutPrefix(name, prefix)
  }
  return (
    side('+++ ', 'b/') ??
    side('--- ', 'a/') ??
    after('rename to ') ??
    after('copy to ') ??
    twiceNamed(after('diff --git ') ?? '')
  )
}

/** git puts a tab after a name with a space, and quotes one with anything stranger. */
const withoutPrefix = (name: string, prefix: string): string =>
  name
    .replace(/\t$/, '')
    .replace(/^"?/, (quote) => quote)
    .replace(new RegExp(`^("?)${prefix}`), '$1')

/** `a/x b/x`: the same name twice. */
function twiceNamed(line: string): string {
  const half = line.slice((line.length + 1) / 2)
  return withoutPrefix(half, 'b/')
}

/** A run of lines of one side of a file, by their numbers. */
export interface LineRange {
  readonly side: 'additions' | 'deletions'
  readonly start: number
  readonly end: number
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/
const MAX_QUOTED = 30

/** Lines of a file to put into words about it: `path:12-14`, and under it the lines as they are in the diff. */
export function quoteLines({ name, text }: DiffFile, { side, start, end }: LineRange): string {
  const [first, last] = [Math.min(start, end), Math.max(start, end)]
  const at = { additions: 0, deletions: 0 }
  const quoted: string[] = []
  for (const line of text.split('\n')) {
    const hunk = HUNK.exec(line)
    if (hunk) {
      at.deletions = Number(hunk[1])
      at.additions = Number(hunk[2])
      continue
    }
    if (at.additions + at.deletions === 0 || !/^[ +-]/.test(line)) continue
    const isOnSide = !line.startsWith(side === 'additions' ? '-' : '+')
    if (isOnSide && at[side] >= first && at[side] <= last) quoted.push(`> ${line}`)
    if (!line.startsWith('-')) at.additions += 1
    if (!line.startsWith('+')) at.deletions += 1
  }
  const more = quoted.length - MAX_QUOTED
  const lines = more > 0 ? [...quoted.slice(0, MAX_QUOTED), `> … ${more} more lines`] : quoted
  return [`${name}:${first}${last > first ? `-${last}` : ''}`, ...lines].join('\n')
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

import { columns, cut, width } from './cells.ts'
import type { Paint } from './paint.ts'
import { printableLine } from './printable.ts'

/** Longest headline where no terminal sets the width. */
const LONGEST = 120
const SHORTEST = 20

/** The first line of a text that says something, in so many cells; `…` at its end where it was cut, or more lines follow. */
export function headline(text: string, cells: number): string {
  const [first = '', ...more] = text.trim().split('\n', 2)
  const line = printableLine(first.trim())
  return cut(more.length > 0 ? `${line}…` : line, cells)
}

/** How many cells a headline gets after so many others. */
export const headlineCells = (terminal: number | undefined, used: number): number =>
  terminal === undefined ? LONGEST : Math.max(SHORTEST, terminal - used)

interface Look {
  readonly paint: Paint
  /** Cells of the terminal, if it is one. */
  readonly columns: number | undefined
}

/** Rows below their titles; the last cell of each row is a text of any length, shown as a headline. */
export function headlineTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  { paint, columns: terminal }: Look,
): string {
  const painted = titles.map((title) => paint('gray', title))
  const before = columns([painted, ...rows].map((row) => row.slice(0, -1)))
  const cells = headlineCells(terminal, Math.max(...before.split('\n').map(width)) + 2)
  return columns([painted, ...rows.map((row) => [...row.slice(0, -1), headline(row.at(-1) ?? '', cells)])])
}

import { stripVTControlCharacters } from 'node:util'

const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u
const ZERO = /[\p{Mn}\p{Me}\u200c\u200d]/u

const cellsOf = (character: string): number => (ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1)

/** How many cells a terminal needs for a text; colours need none. */
export function width(text: string): number {
  let cells = 0
  for (const character of stripVTControlCharacters(text)) cells += cellsOf(character)
  return cells
}

/** Cuts text without colours to so many cells, with an ellipsis in the last one. */
export function cut(text: string, cells: number): string {
  if (width(text) <= cells) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    used += cellsOf(character)
    if (used > cells - 1) break
    kept += character
  }
  return `${kept.trimEnd()}…`
}

/** Rows as aligned columns, without borders; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, width(cell))
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd()
  return rows.map((row) => `${line(row)}\n`).join('')
}

/** A text as far as a row holds it. What is longer is fetched when somebody opens the row. */
export interface Clip {
  readonly text: string
  /** Of the whole. */
  readonly length: number
  readonly lines: number
}

/** Longest text that a row holds, in characters. */
export const RESULT_CHARACTERS = 2_000
export const PROSE_CHARACTERS = 20_000

/** At most `longest` characters of a text; a pair of surrogates stays together. */
export function clip(text: string, longest: number = RESULT_CHARACTERS): Clip {
  const end = text.length > longest && isHighSurrogate(text.charCodeAt(longest - 1)) ? longest - 1 : longest
  const isWhole = end >= text.length
  return { text: isWhole ? text : detached(text.slice(0, end)), length: text.length, lines: countLines(text) }
}

/** A copy of a piece: the piece alone would keep all of the text that it is of. */
export const detached = (piece: string): string => JSON.parse(JSON.stringify(piece))

export const isCut = ({ text, length }: Clip): boolean => text.length < length

/** The first line that says something. */
export const firstLine = (text: string): string => /\S.*/.exec(text)?.[0] ?? ''

/** Lines of a text; one line break at its end begins none. */
export function countLines(text: string): number {
  if (text === '') return 0
  let lines = text.endsWith('\n') ? 0 : 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

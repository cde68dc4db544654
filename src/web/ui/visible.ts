// Controls, directions of text and what has no width: an agent could hide or reorder words with them.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const KEPT = new Set(['\n', '\t', '\u200d'])

/** Text of an agent with every character that a reader could not see spelled out: `<U+202E>`. Line breaks and tabs stay. */
export const visible = (text: string): string =>
  text
    .replaceAll('\r\n', '\n')
    .replace(HIDDEN, (character) => (KEPT.has(character) ? character : `<U+${codeOf(character)}>`))

/** The same in one line, cut at so many characters. */
export function visibleLine(text: string, most = 200): string {
  const line = visible(text.slice(0, most * 2))
    .replace(/\s+/g, ' ')
    .trim()
  return line.length > most ? `${line.slice(0, most)}…` : line
}

const codeOf = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')

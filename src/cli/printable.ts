/** Control and format characters, bidi overrides and lone surrogates among them; the joiners of emoji are harmless. */
const HIDDEN = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Text of an agent for a terminal: whatever could move the cursor, hide or reorder text is shown as an escape. */
export const printable = (text: string): string => text.replace(HIDDEN, showEscaped)

/** The same on one line. */
export const printableLine = (text: string): string =>
  printable(text).replaceAll(/[\n\t]/g, (space) => (space === '\n' ? '⏎' : ' '))

const showEscaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** JSON that a terminal can show: the same value, with everything hidden in it as `\u` escapes. */
export const jsonText = (value: unknown, indent?: number): string =>
  // Outside of strings JSON has no such character but the line breaks of the indent.
  JSON.stringify(value, null, indent).replace(HIDDEN, (characters) =>
    characters
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )

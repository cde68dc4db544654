import { isUtf8 } from 'node:buffer'

/**
 * Characters that are not seen, or make a reader see something else: controls, bidi, zero-width and tag characters, variation
 * selectors, blanks other than the space, and those that no standard gives a meaning.
 */
const HIDDEN = /(?![\n\t ])[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}]/gu

/** A well-formed sequence of UTF-8, or one byte that belongs to none, in bytes read as Latin-1. */
const SEQUENCE =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g

export interface SpelledOut {
  readonly text: string
  /** What was spelled out, each once, in the order of its first place. */
  readonly hidden: readonly string[]
}

/**
 * Text with everything hidden in it spelled out: `<U+202E>`, and `<0xFF>` for a byte that is not UTF-8. Line ends and tabs
 * stay.
 */
export function spellOut(bytes: Uint8Array): SpelledOut {
  const hidden = new Set<string>()
  const name = (spelled: string): string => {
    hidden.add(spelled.slice(1, -1))
    return spelled
  }
  const text = isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : decodeSpelling(bytes, name)
  return { text: text.replaceAll(HIDDEN, (character) => name(spell(character))), hidden: [...hidden] }
}

/** The same for a string: what was spelled out is not told. */
export const spelledOut = (text: string): string => text.replaceAll(HIDDEN, spell)

/** Whether all of it can be seen, line ends and tabs not being there. */
export const isPlain = (text: string): boolean => !/[\n\t]/.test(text) && spelledOut(text) === text

const spell = (character: string): string =>
  `<U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}>`

const decodeSpelling = (bytes: Uint8Array, name: (spelled: string) => string): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(SEQUENCE, (sequence) =>
      sequence.length > 1
        ? Buffer.from(sequence, 'latin1').toString('utf8')
        : name(`<0x${sequence.charCodeAt(0).toString(16).toUpperCase()}>`),
    )

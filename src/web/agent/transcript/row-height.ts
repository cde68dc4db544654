import type { Row } from './row.ts'

const LINE = 21
const PADDING = 8
const CHARACTERS_PER_LINE = 110

/** About how high a row will be, in pixels, before it is measured: the nearer, the steadier the scroll bar. */
export function estimateHeight(row: Row): number {
  switch (row.kind) {
    case 'turn':
      return PADDING + LINE * (1 + row.messages.length) + PADDING
    case 'text':
      return PADDING + LINE * Math.max(row.text.lines, Math.ceil(row.text.text.length / CHARACTERS_PER_LINE))
    case 'calls': {
      const [call] = row.calls
      return PADDING + (call?.isLookup || call?.hidesSuccess ? LINE : LINE * 2)
    }
    default:
      return PADDING + LINE
  }
}

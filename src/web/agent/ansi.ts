import { visible } from '../ui/visible.ts'

export type Tone = 'err' | 'ok' | 'accent' | 'info' | 'think' | 'faint'

/** A piece of output in one colour. */
export interface Span {
  readonly text: string
  readonly tone: Tone | undefined
  readonly isBold: boolean
}

type Look = Omit<Span, 'text'>

const PLAIN: Look = { tone: undefined, isBold: false }
/** The colours of a terminal in those of the theme, in which they can be read. */
const TONES: readonly (Tone | undefined)[] = [undefined, 'err', 'ok', 'accent', 'info', 'think', 'info', undefined]
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const SEQUENCE = /\u001b(?:\[([0-9;]*)m|\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/g

/** Pieces, at most: beyond that the colours are left out. */
const MAX_SPANS = 2_000

/** Output of a program: its colours, and nothing else of what it would do to a terminal. */
export function ansiSpans(text: string): Span[] {
  const spans: Span[] = []
  let look = PLAIN
  let from = 0
  const take = (piece: string): void => {
    if (piece !== '') spans.push({ text: visible(piece), ...look })
  }
  for (const match of text.matchAll(SEQUENCE)) {
    take(text.slice(from, match.index))
    from = match.index + match[0].length
    if (match[1] !== undefined) look = lookAfter(look, match[1])
  }
  take(text.slice(from))
  if (spans.length <= MAX_SPANS) return spans
  return [{ text: spans.map((span) => span.text).join(''), ...PLAIN }]
}

/** How text looks after codes such as `1;31`. */
const lookAfter = (look: Look, codes: string): Look => codes.split(';').map(Number).reduce(applyCode, look)

/** Colours beyond the sixteen of every terminal are not told apart. */
function applyCode(look: Look, code: number): Look {
  if (code === 0) return PLAIN
  if (code === 1) return { ...look, isBold: true }
  if (code === 22) return { ...look, isBold: false }
  if (code === 39) return { ...look, tone: undefined }
  if (code === 90) return { ...look, tone: 'faint' }
  const isColour = (code >= 30 && code <= 37) || (code >= 91 && code <= 97)
  return isColour ? { ...look, tone: TONES[code % 10] } : look
}

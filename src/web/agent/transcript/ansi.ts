import Anser from 'anser'
import { visible } from '../../ui/visible.ts'

export type Tone = 'err' | 'ok' | 'accent' | 'info' | 'think' | 'faint'

/** A piece of output in one colour. */
export interface Span {
  readonly text: string
  readonly tone: Tone | undefined
  readonly isBold: boolean
}

/** The eight colours of a terminal in those of the theme, in which they can be read. */
const TONES: Readonly<Record<string, Tone>> = {
  'ansi-red': 'err',
  'ansi-green': 'ok',
  'ansi-yellow': 'accent',
  'ansi-blue': 'info',
  'ansi-cyan': 'info',
  'ansi-magenta': 'think',
  'ansi-bright-red': 'err',
  'ansi-bright-green': 'ok',
  'ansi-bright-yellow': 'accent',
  'ansi-bright-blue': 'info',
  'ansi-bright-cyan': 'info',
  'ansi-bright-magenta': 'think',
  'ansi-bright-black': 'faint',
}

/** Output of a program: its colours, and nothing else of what it would do to a terminal. */
export const ansiSpans = (text: string): Span[] =>
  Anser.ansiToJson(text, { use_classes: true, remove_empty: true, json: true }).map(({ content, fg, decorations }) => ({
    text: visible(content),
    tone: TONES[fg],
    isBold: decorations.includes('bold'),
  }))

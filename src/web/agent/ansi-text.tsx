import { useMemo } from 'react'
import { classNames } from '../ui/class-names.ts'
import { ansiSpans, type Tone } from './ansi.ts'

const TONES: Readonly<Record<Tone, string>> = {
  err: 'text-err',
  ok: 'text-ok',
  accent: 'text-accent',
  info: 'text-info',
  think: 'text-think',
  faint: 'text-faint',
}

/** What a program wrote, in its colours. */
export function AnsiText({ text }: { text: string }) {
  const spans = useMemo(() => ansiSpans(text), [text])
  return spans.map((span, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text
    <span key={index} className={classNames(span.tone && TONES[span.tone], span.isBold && 'font-bold')}>
      {span.text}
    </span>
  ))
}

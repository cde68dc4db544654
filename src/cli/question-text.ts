import type { Question } from '../wire/questions.ts'
import type { Paint } from './paint.ts'
import { printable, printableLine } from './printable.ts'
import { spanText } from './time-text.ts'
import { waitingText } from './waiting-text.ts'

interface Look {
  readonly paint: Paint
  /** Wall clock, unix milliseconds. */
  readonly now: number
}

/** One question: who asks, since when, in which words, and what it suggests, numbered. */
export function questionText(question: Question, { paint, now }: Look): string {
  const { id, asker, question: words, options, multi, state, answer, answeredAt } = question
  const when = state === 'open' ? waitingText(question, now) : `${state} ${spanText(now - (answeredAt ?? now))} ago`
  const several = multi && options.length > 0 ? ', several may be chosen' : ''
  const head = `${paint('bold', String(id))}  ${printableLine(asker)} asks${several}; ${paint('gray', when)}`
  const body = printable(words.trim())
    .split('\n')
    .map((line) => `    ${line}`.trimEnd())
  const choices = options.map((option, at) => `    ${paint('cyan', String(at + 1))}  ${printableLine(option)}`)
  const said = state === 'answered' && answer !== null ? [`    ${paint('green', '→')} ${printableLine(answer)}`] : []
  return `${[head, ...body, ...choices, ...said].join('\n')}\n`
}

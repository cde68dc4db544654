import type { StoredEvent } from '../wire/events.ts'
import type { TurnEnd } from '../wire/turn.ts'
import { headline } from './headline.ts'
import type { Paint, Style } from './paint.ts'
import { printableLine } from './printable.ts'
import { streamText } from './stream-text.ts'
import { clockText } from './time-text.ts'

const BODY_CELLS = 100
const NOTE_STYLES = { info: 'gray', warn: 'yellow', error: 'red' } as const satisfies Record<string, Style>

/** One event of an agent as lines of a transcript; nothing for what only machines care about. */
export function eventText({ at, event }: StoredEvent, paint: Paint): string {
  const time = paint('gray', clockText(at))
  switch (event.kind) {
    case 'turn_start': {
      const pending = event.pending > 0 ? `, ${event.pending} more wait` : ''
      const mail = event.messages.map(({ id, from, body }) => {
        const text = `#${id} from ${printableLine(from)}: ${headline(body, BODY_CELLS)}`
        return `${time}  ${paint('magenta', `◀ ${text}`)}\n`
      })
      return `\n${time}  ${paint('bold', `turn begins${pending}`)}\n${mail.join('')}`
    }
    case 'turn_end':
      return `${time}  ${endText(event.end, paint)}\n`
    case 'note':
      return `${time}  ${paint(NOTE_STYLES[event.level], `• ${printableLine(event.text)}`)}\n`
    case 'gap':
      return `${time}  ${paint('yellow', `• ${event.lost} events are missing: the daemon was away`)}\n`
    case 'stream':
      return streamText(event.value, paint)
        .map((line) => `${time}  ${line}\n`)
        .join('')
  }
}

function endText({ reason, detail, usage }: TurnEnd, paint: Paint): string {
  if (reason !== 'ok') return paint('red', `turn ends: ${reason}: ${printableLine(detail)}`)
  const figures = usage && [
    `${(usage.durationMs / 1000).toFixed(1)} s`,
    `${usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens} in`,
    `${usage.outputTokens} out`,
    `$${usage.costUsd.toFixed(4)}`,
  ]
  return paint('bold', `turn ends well${figures ? `: ${figures.join(', ')}` : ''}`)
}

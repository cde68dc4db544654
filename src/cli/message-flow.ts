import type { Message } from '../wire/things.ts'
import { width } from './cells.ts'
import { headline, headlineCells } from './headline.ts'
import { stateText } from './message-table.ts'
import { MESSAGE_STYLE, type Paint } from './paint.ts'
import { printableLine } from './printable.ts'
import { clockText, spanText } from './time-text.ts'

/** Messages whose body was shown; older ones are forgotten and shown again. */
const REMEMBERED = 1000

const REMARK_STYLE = { queued: 'yellow', leased: 'yellow', done: 'gray', dead: 'red' } as const

export interface FlowLook {
  readonly paint: Paint
  /** Cells of the terminal, if it is one. */
  readonly columns: () => number | undefined
  readonly now: () => number
}

/** Makes the lines of a live flow: one for each change of a message, its body at the first sight of it. */
export function createMessageFlow({ paint, columns, now }: FlowLook): (message: Message) => string {
  const seen = new Set<number>()
  return (message) => {
    const isNew = !seen.has(message.id)
    seen.add(message.id)
    if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as number)
    const plain = [
      clockText(changedAt(message, now())),
      `#${message.id}`.padEnd(5),
      `${message.from} → ${message.to}`.padEnd(19),
      stateText(message).padEnd(9),
    ]
    const [time = '', id = '', route = '', state = ''] = plain
    const remark = remarkText(message)
    const used = width(`${plain.join('  ')}  ${remark}`) + 2
    const body = isNew ? headline(message.body, headlineCells(columns(), used)) : ''
    const painted = [
      paint('gray', time),
      paint('bold', id),
      message.to === 'operator' ? paint('magenta', route) : route,
      paint(MESSAGE_STYLE[message.state], state),
      ...(remark ? [paint(REMARK_STYLE[message.state], remark)] : []),
      ...(body ? [body] : []),
    ]
    return `${painted.join('  ').trimEnd()}\n`
  }
}

const changedAt = ({ state, sentAt, doneAt, attempt }: Message, now: number): number =>
  doneAt ?? (state === 'queued' && attempt === 0 ? sentAt : now)

/** What is worth knowing about a change beyond the state. */
function remarkText({ state, attempt, failures, error, sentAt, doneAt }: Message): string {
  const failed = failures > 0 ? `${failures} ${failures === 1 ? 'failure' : 'failures'}` : ''
  if (state === 'dead') return [printableLine(error ?? ''), failed].filter(Boolean).join(', ')
  if (state === 'done') return doneAt === null ? '' : spanText(doneAt - sentAt)
  if (state === 'queued') return attempt === 0 ? '' : ['again', failed].filter(Boolean).join(', ')
  return attempt > 1 ? `attempt ${attempt}` : ''
}

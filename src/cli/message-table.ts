import type { Message } from '../wire/things.ts'
import { headlineTable } from './headline.ts'
import { MESSAGE_STYLE, type Paint } from './paint.ts'
import { spanText } from './time-text.ts'

interface Look {
  readonly paint: Paint
  readonly now: number
  /** Cells of the terminal, if it is one. */
  readonly columns: number | undefined
}

const TITLES = ['ID', 'AGE', 'FROM', 'TO', 'STATE', 'TRY', 'BODY']

/** Where a message stands, in one word. */
export const stateText = ({ state, error }: Pick<Message, 'state' | 'error'>): string =>
  state === 'done' && error === 'cancelled' ? 'cancelled' : state === 'leased' ? 'in turn' : state

/** The messages, one a line, newest last. */
export function messageTable(messages: readonly Message[], look: Look): string {
  const { paint, now } = look
  const rows = messages.map((message) => [
    String(message.id),
    spanText(now - message.sentAt),
    message.from,
    message.to,
    paint(MESSAGE_STYLE[message.state], stateText(message)),
    String(message.attempt),
    message.body,
  ])
  return headlineTable(TITLES, rows, look)
}

import type { Message, Undecodable } from '../wire/things.ts'
import { columns, cut, width } from './cells.ts'
import { MESSAGE_STYLE, type Paint } from './paint.ts'
import { printableLine } from './printable.ts'
import { spanText } from './time-text.ts'

/** Longest headline where no terminal sets the width. */
const HEADLINE = 120
const SHORTEST_HEADLINE = 20

interface Look {
  readonly paint: Paint
  readonly now: number
  /** Cells of the terminal, if it is one. */
  readonly columns: number | undefined
}

/** The first line of a body that says something, in so many cells. */
export const headline = (body: string, cells: number): string =>
  cut(printableLine((body.trim().split('\n', 1)[0] ?? '').trim()), cells)

/** How many cells a headline gets after so many others. */
export const headlineCells = (terminal: number | undefined, used: number): number =>
  terminal === undefined ? HEADLINE : Math.max(SHORTEST_HEADLINE, terminal - used)

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
  ])
  const titles = ['ID', 'AGE', 'FROM', 'TO', 'STATE', 'TRY', 'BODY'].map((title) => paint('gray', title))
  const used = Math.max(
    ...columns([titles.slice(0, -1), ...rows])
      .split('\n')
      .map(width),
  )
  const cells = headlineCells(look.columns, used + 2)
  return columns([titles, ...rows.map((row, at) => [...row, headline(messages[at]?.body ?? '', cells)])])
}

/** One line about a row of the store that cannot be read. */
export const undecodableText = ({ table, id, problem }: Undecodable): string =>
  `row ${printableLine(id)} of ${printableLine(table)} cannot be read: ${printableLine(problem)}`

import type { Database, Row } from '../../kit/sqlite.ts'
import { HiveError } from '../../wire/errors.ts'
import type { Message, MessageState } from '../../wire/things.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import { decodeMessage, isUndecodable, MESSAGE_COLUMNS, MESSAGES, PREVIEW_COLUMNS } from './message-row.ts'
import type { MessageFilter, Page } from './store.ts'

/** A page of messages ends when its bodies have so many characters: whoever reads it waits for all of it. */
const MAX_PAGE_CHARACTERS = 2 * 1024 * 1024

/** Reads messages for whoever looks at them. Nothing here changes a row. */
export class MessageReader {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Throws `internal` when the row cannot be read. */
  get(id: number): Message | undefined {
    const found = this.find(id)
    if (found && isUndecodable(found)) {
      throw new HiveError('internal', `message ${id} cannot be decoded: ${found.problem}`)
    }
    return found
  }

  find(id: number): Message | Undecodable | undefined {
    const row = this.#db.get(`SELECT ${MESSAGE_COLUMNS} FROM ${MESSAGES} WHERE id = ?`, id)
    return row && decodeMessage(row)
  }

  /** The newest ones, the oldest of them first. */
  newest(filter: MessageFilter): Omit<Page, 'cursor'> {
    const { conditions, values } = readFilter(filter)
    const columns = filter.preview ? PREVIEW_COLUMNS : MESSAGE_COLUMNS
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
    const sql = `SELECT ${columns} FROM ${MESSAGES} ${where} ORDER BY id DESC LIMIT ?`
    const page = decodePage(this.#db.iterate(sql, ...values, filter.limit))
    return { ...page, messages: page.messages.reverse() }
  }

  /** Those among `ids`, or without it all, that changed after `cursor`, by their last change. */
  changed(cursor: number, ids: readonly number[] | undefined, filter: MessageFilter): Page {
    const sql = `SELECT ${MESSAGE_COLUMNS}, changed FROM ${MESSAGES}
      WHERE ${ids ? 'id IN (SELECT value FROM json_each(?))' : 'changed > ?'} ORDER BY changed LIMIT ?`
    let last = cursor
    const rows = this.#db.iterate(sql, ids ? JSON.stringify(ids) : cursor, filter.limit)
    const page = decodePage(rows, (row) => {
      last = Number(row.changed)
    })
    return { ...page, messages: page.messages.filter((message) => fits(message, filter)), cursor: last }
  }

  /** What waits in an inbox, in the order of delivery, bodies cut. */
  waiting(agent: string, limit: number): Message[] {
    const sql = `SELECT ${PREVIEW_COLUMNS} FROM ${MESSAGES} WHERE recipient = ? AND state = 'queued' ORDER BY urgent DESC, id LIMIT ?`
    return decodePage(this.#db.iterate(sql, agent, limit)).messages
  }

  /** Dead ones that the operator has not dealt with, bodies cut. */
  deadLetters(): Omit<Page, 'cursor'> {
    const sql = `SELECT ${PREVIEW_COLUMNS} FROM ${MESSAGES} WHERE state = 'dead' AND dismissed = 0 ORDER BY id LIMIT 1000`
    return decodePage(this.#db.iterate(sql))
  }

  countDeadLetters(): number {
    return Number(this.#db.get(`SELECT count(*) AS n FROM messages WHERE state = 'dead' AND dismissed = 0`)?.n)
  }

  count(): Record<MessageState, number> {
    const counts = { queued: 0, leased: 0, done: 0, dead: 0 }
    for (const row of this.#db.all('SELECT state, count(*) AS n FROM messages GROUP BY state')) {
      counts[row.state as MessageState] = Number(row.n)
    }
    return counts
  }
}

function readFilter({ agent, state }: MessageFilter): { conditions: string[]; values: string[] } {
  const conditions: string[] = []
  const values: string[] = []
  if (agent) {
    conditions.push('(sender = ? OR recipient = ?)')
    values.push(agent, agent)
  }
  if (state) {
    conditions.push('state = ?')
    values.push(state)
  }
  return { conditions, values }
}

const fits = ({ from, to, state }: Message, filter: MessageFilter): boolean =>
  (!filter.agent || from === filter.agent || to === filter.agent) && (!filter.state || state === filter.state)

function decodePage(rows: Iterable<Row>, onRow: (row: Row) => void = () => {}): Omit<Page, 'cursor'> {
  const messages: Message[] = []
  const errors: Undecodable[] = []
  let characters = 0
  for (const row of rows) {
    onRow(row)
    const decoded = decodeMessage(row)
    if (isUndecodable(decoded)) errors.push(decoded)
    else {
      messages.push(decoded)
      characters += decoded.body.length
    }
    if (characters >= MAX_PAGE_CHARACTERS) break
  }
  return { messages, errors }
}

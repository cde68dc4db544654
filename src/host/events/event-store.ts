import { createNotifier, type Notifier } from '../../kit/notifier.ts'
import type { Database, Row } from '../../kit/sqlite.ts'
import { errorText } from '../../wire/errors.ts'
import { LiveEvent, MAX_EVENT_BYTES, type StoredEvent } from '../../wire/events.ts'

/** The live events of every agent, numbered in the order in which they were stored. */
export class EventStore {
  readonly changes: Notifier = createNotifier()
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Stores events of one epoch; those whose number is there already are ignored. */
  async append(
    agent: string,
    epoch: number,
    events: readonly { n: number; at: number; event: LiveEvent }[],
  ): Promise<void> {
    await this.#db.write(() => {
      for (const { n, at, event } of events) {
        this.#db.run(
          'INSERT INTO events (agent, epoch, n, at, event) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
          agent,
          epoch,
          n,
          Math.round(at),
          encode(event),
        )
      }
    })
    this.changes.notify()
  }

  /** Forgets an agent that is gone for good. */
  async purge(agent: string): Promise<void> {
    await this.#db.write(() => this.#db.run('DELETE FROM events WHERE agent = ?', agent))
  }

  /** When the last turn of an epoch began, if it was about `message` and its begin has been stored. */
  turnBegan(agent: string, epoch: number, message: number): number | undefined {
    const row = this.#db.get(
      `SELECT * FROM events WHERE agent = ? AND epoch = ?
       AND CASE WHEN json_valid(event) THEN json_extract(event, '$.kind') = 'turn_start' END ORDER BY n DESC LIMIT 1`,
      agent,
      epoch,
    )
    const event = row && decode(row)
    const isAbout = event?.kind === 'turn_start' && event.messages.some(({ id }) => id === message)
    return isAbout ? Number(row?.at) : undefined
  }

  /** Events after `after`, oldest first; without it the newest ones. */
  list(agent: string, { after, limit }: { after?: number; limit: number }): StoredEvent[] {
    const rows =
      after === undefined
        ? this.#db.all('SELECT * FROM events WHERE agent = ? ORDER BY seq DESC LIMIT ?', agent, limit).reverse()
        : this.#db.all('SELECT * FROM events WHERE agent = ? AND seq > ? ORDER BY seq LIMIT ?', agent, after, limit)
    return rows.map((row) => ({
      seq: Number(row.seq),
      agent: String(row.agent),
      epoch: Number(row.epoch),
      n: Number(row.n),
      at: Number(row.at),
      event: decode(row),
    }))
  }
}

/** A row that cannot be read is shown as such in its place. */
function decode(row: Row): LiveEvent {
  try {
    return LiveEvent.parse(JSON.parse(String(row.event)))
  } catch (error) {
    return { kind: 'note', level: 'error', text: `event ${row.seq} cannot be decoded: ${errorText(error)}` }
  }
}

function encode(event: LiveEvent): string {
  const text = JSON.stringify(event)
  if (text.length <= MAX_EVENT_BYTES) return text
  const note: LiveEvent = {
    kind: 'note',
    level: 'warn',
    text: `an event of ${text.length} characters was too large to keep`,
  }
  return JSON.stringify(note)
}

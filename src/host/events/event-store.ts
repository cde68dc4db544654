import { createNotifier, type Notifier } from '../../kit/notifier.ts'
import type { Database, Row } from '../../kit/sqlite.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { LiveEvent, MAX_EVENT_BYTES, type StoredEvent } from '../../wire/events.ts'
import { STEP } from '../retention.ts'

/** The live events of every agent, numbered in the order in which they were stored. */
export class EventStore {
  readonly changes: Notifier = createNotifier()
  readonly #db: Database
  readonly #isDiskFull: () => boolean
  readonly #now: () => number
  readonly #bytes = new Map<string, number>()

  /** `isDiskFull`: what space is left belongs to the messages. */
  constructor(db: Database, isDiskFull: () => boolean = () => false, now: () => number = Date.now) {
    this.#db = db
    this.#isDiskFull = isDiskFull
    this.#now = now
  }

  /** How many bytes were stored for an agent since the daemon started; only their growth says something. */
  bytesOf(agent: string): number {
    return this.#bytes.get(agent) ?? 0
  }

  /** Stores events of one epoch; those whose number is there already are ignored. */
  async append(
    agent: string,
    epoch: number,
    events: readonly { n: number; at: number; event: LiveEvent }[],
  ): Promise<void> {
    if (this.#isDiskFull()) throw new HiveError('disk_full', 'the disk is full: events are not stored')
    const encoded = events.map(({ event }) => encode(event))
    await this.#db.write(() => {
      for (const [index, { n, at, event }] of events.entries()) {
        this.#db.run(
          `INSERT INTO events (agent, epoch, n, at, event, stored_at) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT DO NOTHING`,
          agent,
          epoch,
          n,
          Math.round(at),
          encoded[index] as string,
          // By our clock: `at` is the agent's claim.
          event.kind === 'stream' ? this.#now() : null,
        )
      }
    })
    this.#bytes.set(
      agent,
      encoded.reduce((sum, text) => sum + text.length, this.bytesOf(agent)),
    )
    this.changes.notify()
  }

  /** Deletes at most `limit` lines of engines' streams that were stored before `before` (unix ms); gives how many. */
  async vacuum(before: number, limit: number): Promise<number> {
    return this.#db.write(
      () =>
        this.#db.run(
          'DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE stored_at < ? ORDER BY stored_at LIMIT ?)',
          before,
          limit,
        ).changes,
    )
  }

  /** Forgets an agent that is gone for good; in steps that let others in between. */
  async purge(agent: string): Promise<void> {
    const sql = 'DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE agent = ? LIMIT ?)'
    for (let deleted = STEP; deleted === STEP; ) {
      deleted = await this.#db.write(() => this.#db.run(sql, agent, STEP).changes)
    }
    this.#bytes.delete(agent)
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

  /** Events after `after`, oldest first; without it the newest ones before `before`. Fewer than `limit` when they are large. */
  list(
    agent: string,
    { after, before = Number.MAX_SAFE_INTEGER, limit }: { after?: number; before?: number; limit: number },
  ): StoredEvent[] {
    const rows =
      after === undefined
        ? this.#read(BEFORE, agent, before, limit).reverse()
        : this.#read('SELECT * FROM events WHERE agent = ? AND seq > ? ORDER BY seq LIMIT ?', agent, after, limit)
    return rows.map(toStoredEvent)
  }

  /** Throws `not_found`. */
  get(agent: string, seq: number): StoredEvent {
    const row = this.#db.get('SELECT * FROM events WHERE agent = ? AND seq = ?', agent, seq)
    if (!row) throw new HiveError('not_found', `no event ${seq} of ${agent}`)
    return toStoredEvent(row)
  }

  /** The number of the newest event of an agent; 0 when it has none. */
  newest(agent: string): number {
    return Number(this.#db.get('SELECT max(seq) AS seq FROM events WHERE agent = ?', agent)?.seq ?? 0)
  }

  /** Whether an agent has more than `count` events after `after`. */
  hasMoreThan(agent: string, after: number, count: number): boolean {
    const sql = 'SELECT 1 FROM events WHERE agent = ? AND seq > ? LIMIT 1 OFFSET ?'
    return this.#db.get(sql, agent, after, count) !== undefined
  }

  /**
   * Events with a string in them that contains `text`, in whatever case, newest first. Looks at so many of those before
   * `before` as take little time; `next` is where to go on, null at the beginning.
   */
  search(
    agent: string,
    { text, before = Number.MAX_SAFE_INTEGER, limit }: { text: string; before?: number; limit: number },
  ): { events: StoredEvent[]; next: number | null } {
    const wanted = text.toLowerCase()
    const escaped = JSON.stringify(wanted).slice(1, -1)
    const events: StoredEvent[] = []
    const rows = this.#read(BEFORE, agent, before, MAX_SEARCHED)
    for (const row of rows) {
      if (!String(row.event).toLowerCase().includes(escaped)) continue
      const found = toStoredEvent(row)
      if (!hasText(found.event, wanted)) continue
      events.push(found)
      if (events.length === limit) return { events, next: found.seq }
    }
    const last = Number(rows.at(-1)?.seq ?? 0)
    return { events, next: this.#read(BEFORE, agent, last, 1).length > 0 ? last : null }
  }

  #read(sql: string, ...values: (string | number)[]): Row[] {
    const rows: Row[] = []
    let characters = 0
    for (const row of this.#db.iterate(sql, ...values)) {
      rows.push(row)
      characters += String(row.event).length
      if (characters >= MAX_PAGE_CHARACTERS) break
    }
    return rows
  }
}

const BEFORE = 'SELECT * FROM events WHERE agent = ? AND seq < ? ORDER BY seq DESC LIMIT ?'

/** So many events at most does one search look at. */
const MAX_SEARCHED = 5_000

/** Whether a string somewhere in a value, but no name of a field, contains a lower-case text. */
const hasText = (value: unknown, wanted: string): boolean => {
  if (typeof value === 'string') return value.toLowerCase().includes(wanted)
  return typeof value === 'object' && value !== null && Object.values(value).some((inner) => hasText(inner, wanted))
}

/** A page of events ends when it has so many characters: whoever reads it waits for all of it. */
const MAX_PAGE_CHARACTERS = 2 * 1024 * 1024

const toStoredEvent = (row: Row): StoredEvent => ({
  seq: Number(row.seq),
  agent: String(row.agent),
  epoch: Number(row.epoch),
  n: Number(row.n),
  at: Number(row.at),
  event: decode(row),
})

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

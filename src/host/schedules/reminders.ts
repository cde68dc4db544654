import { z } from 'zod'
import type { Clock } from '../../kit/clock.ts'
import type { Database } from '../../kit/sqlite.ts'
import { createTokenBuckets } from '../../kit/token-bucket.ts'
import { HiveError } from '../../wire/errors.ts'
import type { HelperEvent } from '../../wire/events.ts'
import { LISTED_CHARACTERS, LONGEST_REMINDER_SECONDS, type Reminder } from '../../wire/schedules.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import { attemptAll, type DueSource } from '../alarm.ts'
import { readRow, readRows } from '../read-rows.ts'

/** Sends an agent a fact under a key, once. */
export type TellOnce = (agent: string, event: HelperEvent, key: string) => Promise<void>

export interface RemindersOptions {
  readonly db: Database
  readonly tell: TellOnce
  /** Another one is due next, perhaps. */
  readonly onChange: () => void
  /** Unix milliseconds. */
  readonly now?: () => number
  /** For the rate; the steady clock unless a test says otherwise. */
  readonly clock?: Clock
  /** Called with the names of places where the daemon might as well die. */
  readonly passes?: (point: string) => void
}

/** What an agent asks for: exactly one of `inSeconds` and `at`. */
export interface Wish {
  readonly message: string
  readonly inSeconds?: number
  /** ISO 8601; without a zone it is the host's. */
  readonly at?: string
  /** A wish with the key of an earlier one is that one. */
  readonly key?: string
}

/** Reminders that an agent may have at once. */
const MOST = 50
/** New ones that an agent may set: what is taken back, or told, makes no room for a flood. */
const RATE = { perSecond: 1 / 60, burst: MOST }
const LONGEST_MS = LONGEST_REMINDER_SECONDS * 1000

const StoredReminder = z
  .object({
    id: z.number(),
    agent: z.string(),
    message: z.string(),
    key: z.string(),
    set_at: z.number(),
    due_at: z.number(),
  })
  .transform(({ set_at, due_at, ...same }) => ({ ...same, setAt: set_at, dueAt: due_at }))
const ListedReminder = StoredReminder.transform(
  ({ key: _, message, ...same }): Reminder => ({ ...same, message: message.slice(0, LISTED_CHARACTERS) }),
)

/** Those of agents that are there. */
const LIVE = 'FROM reminders JOIN agents ON name = agent WHERE destroyed = 0'

/** Messages that agents have left for themselves. They are kept until they are told, or the agent is purged. */
export class Reminders implements DueSource {
  readonly name = 'reminders'
  readonly #options: RemindersOptions
  readonly #db: Database
  readonly #now: () => number
  readonly #rates

  constructor(options: RemindersOptions) {
    this.#options = options
    this.#db = options.db
    this.#now = options.now ?? Date.now
    this.#rates = createTokenBuckets(RATE, options.clock ?? (() => performance.now()))
  }

  /** Throws `bad_input` for a time that cannot be had, `too_many` when the agent has as many as it may, `rate_limited`. */
  async remind(agent: string, wish: Wish): Promise<Pick<Reminder, 'id' | 'dueAt'>> {
    const now = this.#now()
    const dueAt = dueOf(wish, now)
    const key = wish.key ?? crypto.randomUUID()
    const reminder = await this.#db.write(() => this.#findWish(agent, key) ?? this.#add(agent, wish, key, now, dueAt))
    this.#options.onChange()
    return reminder
  }

  #findWish(agent: string, key: string): Pick<Reminder, 'id' | 'dueAt'> | undefined {
    const row = this.#db.get('SELECT id, due_at FROM reminders WHERE agent = ? AND key = ?', agent, key)
    return row && { id: Number(row.id), dueAt: Number(row.due_at) }
  }

  #add(agent: string, { message }: Wish, key: string, now: number, dueAt: number): Pick<Reminder, 'id' | 'dueAt'> {
    const count = this.#db.get('SELECT count(*) AS n FROM reminders WHERE agent = ?', agent)?.n
    if (Number(count) >= MOST) {
      throw new HiveError('too_many', `you have ${MOST} reminders`, { hint: 'take one back with cancel_reminder' })
    }
    if (!this.#rates.take(agent)) {
      throw new HiveError('rate_limited', 'you set reminders too fast', {
        hint: 'wait a minute; what comes again and again is for `schedules` in your agent.json',
      })
    }
    const { lastInsertRowid: id } = this.#db.run(
      'INSERT INTO reminders (agent, message, key, set_at, due_at) VALUES (?, ?, ?, ?, ?)',
      agent,
      message,
      key,
      now,
      dueAt,
    )
    return { id, dueAt }
  }

  /** Those of an agent, or of all, the next first, long messages cut; and the rows that cannot be read. */
  list({ agent, limit = MOST }: { agent?: string; limit?: number }): { reminders: Reminder[]; errors: Undecodable[] } {
    const rows = this.#db.all(
      'SELECT * FROM reminders WHERE ?1 IS NULL OR agent = ?1 ORDER BY due_at, id LIMIT ?2',
      agent ?? null,
      limit,
    )
    const { rows: reminders, errors } = readRows('reminders', rows, ListedReminder)
    return { reminders, errors }
  }

  /** Takes one back, only if it is of `agent` when that is given. Gives whose it was; throws `not_found`. */
  async cancel(id: number, agent?: string): Promise<string> {
    const whose = await this.#db.write(() => {
      const owner = this.#db.get('SELECT agent FROM reminders WHERE id = ?', id)?.agent
      if (owner === undefined || (agent !== undefined && owner !== agent)) {
        throw new HiveError('not_found', `there is no reminder ${id}`, { hint: 'reminders lists them' })
      }
      this.#db.run('DELETE FROM reminders WHERE id = ?', id)
      return String(owner)
    })
    this.#options.onChange()
    return whose
  }

  nextAt(): number | undefined {
    const row = this.#db.get(`SELECT due_at ${LIVE} ORDER BY due_at LIMIT 1`)
    return row && Number(row.due_at)
  }

  tellDue(now: number): Promise<unknown[]> {
    const due = this.#db.all(`SELECT id ${LIVE} AND due_at <= ? ORDER BY due_at, id`, now)
    return attemptAll(due, ({ id }) => this.#tell(Number(id)))
  }

  async #tell(id: number): Promise<void> {
    const { db, tell, passes } = this.#options
    const row = db.get('SELECT * FROM reminders WHERE id = ?', id)
    if (!row) return // It was taken back.
    const { agent, message, key, dueAt } = readRow(`reminder ${id}`, row, StoredReminder)
    // By the wish, not by the row: when a wish is repeated after its reminder was told, nothing is told again.
    await tell(agent, { event: 'reminder', id, message, dueAt }, `reminder-${agent}:${key}`)
    passes?.('reminder.told')
    await db.write(() => db.run('DELETE FROM reminders WHERE id = ?', id))
  }
}

/** Unix milliseconds of a wish. Throws `bad_input`. */
function dueOf({ inSeconds, at }: Wish, now: number): number {
  if ((inSeconds === undefined) === (at === undefined)) {
    throw new HiveError('bad_input', 'give either in_seconds or at', { hint: 'one of them, not both' })
  }
  if (inSeconds !== undefined) return now + inSeconds * 1000
  const due = parseTime(String(at))
  const clock = { hint: `it is ${new Date(now).toISOString()} now` }
  if (due <= now) throw new HiveError('bad_input', `${at} has passed`, clock)
  if (due > now + LONGEST_MS) throw new HiveError('bad_input', `${at} is more than 366 days away`, clock)
  return due
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/i

/** A day without a time begins at midnight. Throws `bad_input`. */
function parseTime(text: string): number {
  const [, day = '', time = '00:00', zone = ''] = TIME.exec(text) ?? []
  // Date would take the 30th of February for the 2nd of March.
  const ms = z.iso.date().safeParse(day).success ? Date.parse(`${day}T${time}${zone.toUpperCase()}`) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  throw new HiveError('bad_input', `${text} is no time`, {
    hint: 'write it like 2026-11-30T09:00:00Z; without a zone it is the one of the host',
  })
}

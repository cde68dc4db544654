import { z } from 'zod'
import type { Database } from '../../kit/sqlite.ts'
import type { AgentConfig } from '../../wire/agent-config.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { LISTED_CHARACTERS, type ScheduleView } from '../../wire/schedules.ts'
import { attemptAll, type DueSource } from '../alarm.ts'
import { hostTimeZone, nextDue } from './cron.ts'
import type { TellOnce } from './reminders.ts'

/** When an agent is to be told what. */
export type Entry = AgentConfig['schedules'][number]

export interface SchedulesOptions {
  readonly db: Database
  /** Names of the agents that exist now. */
  readonly agents: () => readonly string[]
  /** `schedules` of what is deployed for an agent; undefined when nothing is. */
  readonly entriesOf: (agent: string) => readonly Entry[] | undefined
  readonly tell: TellOnce
  /** Whether what was told under a key still waits in the inbox, or is being worked on. */
  readonly isUndone: (key: string) => Promise<boolean>
  readonly timeZone?: string
  /** Called with the names of places where the daemon might as well die. */
  readonly passes?: (point: string) => void
}

const StoredSchedule = z
  .object({
    id: z.number(),
    agent: z.string(),
    cron: z.string(),
    message: z.string(),
    next_at: z.number(),
    last_at: z.number().nullable(),
  })
  .transform(({ next_at, last_at, ...same }) => ({ ...same, nextAt: next_at, lastAt: last_at }))
type StoredSchedule = z.infer<typeof StoredSchedule>

/** Those of agents that are there. */
const LIVE = 'FROM schedules JOIN agents ON name = agent WHERE destroyed = 0'

/**
 * The entries of `schedules` in deployed configurations. Each has a row that says when it is due next: what was missed is due
 * since then, once, however often it would have been.
 */
export class Schedules implements DueSource {
  readonly name = 'schedules'
  readonly #options: SchedulesOptions
  readonly #db: Database
  readonly #timeZone: string
  /** Agents whose configuration has yet to be read. */
  readonly #unread: Set<string>
  #lookedAt = 0

  constructor(options: SchedulesOptions) {
    this.#options = options
    this.#db = options.db
    this.#timeZone = options.timeZone ?? hostTimeZone()
    this.#unread = new Set(options.agents())
  }

  /** Another configuration is deployed for an agent: what is new in it counts from the next look on. */
  reread(agent: string): void {
    this.#unread.add(agent)
  }

  /** Those of an agent, or of all that are there, the next first, long messages cut. */
  list({ agent, limit }: { agent?: string; limit: number }): ScheduleView[] {
    const rows = this.#db.all(
      `SELECT schedules.* ${LIVE} AND (?1 IS NULL OR agent = ?1) ORDER BY next_at, id LIMIT ?2`,
      agent ?? null,
      limit,
    )
    return rows.map((row) => {
      const { id: _, message, ...same } = StoredSchedule.parse(row)
      return { ...same, message: message.slice(0, LISTED_CHARACTERS) }
    })
  }

  nextAt(): number | undefined {
    if (this.#unread.size > 0) return 0
    const row = this.#db.get(`SELECT next_at ${LIVE} ORDER BY next_at LIMIT 1`)
    return row && Number(row.next_at)
  }

  async tellDue(now: number): Promise<unknown[]> {
    // The clock was set back: what is due next was reckoned from a time that has not come.
    if (now < this.#lookedAt) for (const agent of this.#options.agents()) this.reread(agent)
    this.#lookedAt = now
    const unread = await attemptAll([...this.#unread], (agent) => this.#read(agent, now))
    const due = this.#db.all(`SELECT schedules.* ${LIVE} AND next_at <= ? ORDER BY next_at, id`, now)
    return [...unread, ...(await attemptAll(due, (row) => this.#tell(StoredSchedule.parse(row), now)))]
  }

  /** Has a row for each entry that is deployed, and no other. */
  async #read(agent: string, now: number): Promise<void> {
    this.#unread.delete(agent)
    try {
      await this.#keepOnly(agent, this.#options.entriesOf(agent), now)
    } catch (error) {
      this.reread(agent)
      throw error
    }
  }

  async #keepOnly(agent: string, entries: readonly Entry[] | undefined, now: number): Promise<void> {
    const isKnown = this.#db.get('SELECT id FROM schedules WHERE agent = ? LIMIT 1', agent) !== undefined
    if (!entries || (entries.length === 0 && !isKnown)) return
    const due = entries.map((entry) => ({ ...entry, nextAt: this.#nextOf(agent, entry, now) }))
    await this.#db.write(() => {
      this.#db.run(
        `DELETE FROM schedules WHERE agent = ? AND NOT EXISTS (
           SELECT 1 FROM json_each(?) AS entry WHERE value ->> 'cron' = cron AND value ->> 'message' = message)`,
        agent,
        JSON.stringify(entries),
      )
      for (const { cron, message, nextAt } of due) {
        // What is due already stays so.
        this.#db.run(
          `INSERT INTO schedules (agent, cron, message, next_at) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET next_at = excluded.next_at WHERE next_at > ?`,
          agent,
          cron,
          message,
          nextAt,
          now,
        )
      }
    })
  }

  #nextOf(agent: string, { cron }: Entry, now: number): number {
    try {
      return nextDue(cron, now, this.#timeZone)
    } catch (error) {
      throw new HiveError('bad_input', `the schedule "${cron}" of ${agent}: ${errorText(error)}`, { cause: error })
    }
  }

  async #tell({ id, agent, cron, message, nextAt: dueAt, lastAt }: StoredSchedule, now: number): Promise<void> {
    const { tell, isUndone, passes } = this.#options
    // Otherwise they would pile up for an agent that is stopped, or slower than its schedule.
    const isLeftOut = lastAt !== null && lastAt !== dueAt && (await isUndone(keyOf(id, lastAt)))
    // The time that it was due is the same when the daemon is killed in between, and so is the key.
    if (!isLeftOut) await tell(agent, { event: 'scheduled', cron, message, dueAt }, keyOf(id, dueAt))
    passes?.('schedule.told')
    const nextAt = nextDue(cron, now, this.#timeZone)
    await this.#db.write(() =>
      this.#db.run(
        'UPDATE schedules SET next_at = ?, last_at = ? WHERE id = ? AND next_at = ?',
        nextAt,
        isLeftOut ? lastAt : dueAt,
        id,
        dueAt,
      ),
    )
  }
}

const keyOf = (id: number, dueAt: number): string => `schedule-${id}-${dueAt}`

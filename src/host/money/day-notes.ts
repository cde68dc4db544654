import type { Database } from '../../kit/sqlite.ts'
import type { AuditLog } from '../audit-log.ts'
import { dayOf } from './day.ts'

/** What is known of an agent's day beside its turns. */
export interface DayNote {
  /** Requests to its model, as the gateway saw them; tunnels count once. */
  readonly requests: number
  /** Of these: while it had no turn. */
  readonly unexplained: number
  /** Its budget does not hold any more today. */
  readonly isOverridden: boolean
}

const BLANK: DayNote = { requests: 0, unexplained: 0, isOverridden: false }

/** What the operator decided, and the gateway saw, of each agent's day. */
export class DayNotes {
  readonly #db: Database
  readonly #audit: Pick<AuditLog, 'add'>
  readonly #now: () => number

  /** `now`: unix ms. */
  constructor(db: Database, audit: Pick<AuditLog, 'add'>, now: () => number = Date.now) {
    this.#db = db
    this.#audit = audit
    this.#now = now
  }

  today(agent: string): DayNote {
    const row = this.#db.get(
      'SELECT requests, unexplained, overridden FROM days WHERE day = ? AND agent = ?',
      dayOf(this.#now()),
      agent,
    )
    if (!row) return BLANK
    return {
      requests: Number(row.requests),
      unexplained: Number(row.unexplained),
      isOverridden: row.overridden === 1,
    }
  }

  /** The operator lets an agent go on for the rest of the day, whatever its budget says; written down once a day. */
  async override(agent: string, detail: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#db.write(
      () => {
        const { changes } = this.#db.run(
          `INSERT INTO days (day, agent, overridden) VALUES (?, ?, 1)
           ON CONFLICT DO UPDATE SET overridden = 1 WHERE overridden = 0`,
          dayOf(this.#now()),
          agent,
        )
        if (changes > 0) this.#audit.add({ actor: 'operator', verb: 'override_budget', agent, detail })
      },
      { essential: true },
    )
  }

  /** Adds what the gateway has seen since it was asked last. */
  async addRequests(seen: readonly { agent: string; requests: number; unexplained: number }[]): Promise<void> {
    if (seen.length === 0) return
    await this.#db.write(() => {
      for (const { agent, requests, unexplained } of seen) {
        this.#db.run(
          `INSERT INTO days (day, agent, requests, unexplained) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET
             requests = requests + excluded.requests, unexplained = unexplained + excluded.unexplained`,
          dayOf(this.#now()),
          agent,
          requests,
          unexplained,
        )
      }
    })
  }
}

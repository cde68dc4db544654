import type { Database } from '../kit/sqlite.ts'
import { AuditEntry } from '../wire/approvals.ts'
import type { Undecodable } from '../wire/undecodable.ts'
import { JsonColumn, readRows } from './read-rows.ts'

/** Who did something: the operator, the manager, or the daemon by itself. */
export type Actor = 'operator' | 'manager' | 'system'

export interface Deed {
  readonly actor: Actor
  readonly verb: string
  readonly agent?: string
  readonly approval?: number
  readonly detail?: Readonly<Record<string, unknown>>
}

export interface AuditFilter {
  readonly agent?: string
  readonly approval?: number
  readonly limit: number
}

const Row = AuditEntry.extend({ detail: JsonColumn.pipe(AuditEntry.shape.detail) })

/** What was decided, deployed and done to agents. Nothing in it is ever changed: the database refuses that too. */
export class AuditLog {
  readonly #db: Database
  readonly #now: () => number

  constructor(db: Database, now: () => number = Date.now) {
    this.#db = db
    this.#now = now
  }

  /** Adds an entry within a write of the database, so that it is there exactly when what it tells of is. */
  add({ actor, verb, agent, approval, detail = {} }: Deed): void {
    this.#db.run(
      'INSERT INTO audit (at, actor, verb, agent, approval, detail) VALUES (?, ?, ?, ?, ?, ?)',
      this.#now(),
      actor,
      verb,
      agent ?? null,
      approval ?? null,
      JSON.stringify(detail),
    )
  }

  /** Adds the entry of something that has been done. */
  async note(deed: Deed): Promise<void> {
    await this.#db.write(() => this.add(deed), { essential: true })
  }

  /** The newest entries, newest last, and the rows among them that cannot be read. */
  list({ agent, approval, limit }: AuditFilter): { entries: AuditEntry[]; errors: Undecodable[] } {
    const rows = this.#db.all(
      `SELECT * FROM audit WHERE (?1 IS NULL OR agent = ?1) AND (?2 IS NULL OR approval = ?2) ORDER BY id DESC LIMIT ?3`,
      agent ?? null,
      approval ?? null,
      limit,
    )
    const { rows: entries, errors } = readRows('audit', rows.reverse(), Row)
    return { entries, errors }
  }
}

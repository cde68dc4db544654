import { z } from 'zod'
import type { Database } from '../../kit/sqlite.ts'
import { HiveError } from '../../wire/errors.ts'
import { Permission, type PermissionState } from '../../wire/permissions.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import { readNewest, readRow } from '../read-rows.ts'

const { id, agent, tool, input, description, pattern, state, message } = Permission.shape
const Time = z.number()
const Columns = z
  .object({ id, agent, tool, input, description, pattern, state, message })
  .extend({ asked_at: Time, deadline_at: Time, decided_at: Time.nullable() })
  .transform(
    ({ asked_at, deadline_at, decided_at, ...same }): Permission => ({
      ...same,
      askedAt: asked_at,
      deadlineAt: deadline_at,
      decidedAt: decided_at,
    }),
  )

/** Of an input in a list: an agent may ask for many that are long. */
const LISTED_CHARACTERS = 4096
const Listed = Columns.transform(
  (permission): Permission => ({ ...permission, input: cut(permission.input, LISTED_CHARACTERS) }),
)

/** A call of a tool: the engine's id for it, within one life of the harness. */
export interface ToolCall {
  readonly agent: string
  readonly epoch: number
  readonly request: string
}

export type NewPermission = ToolCall &
  Pick<Permission, 'tool' | 'input' | 'description' | 'pattern' | 'askedAt' | 'deadlineAt'>

export interface PermissionFilter {
  /** Also those that were decided. */
  readonly all: boolean
  readonly agent?: string
  readonly limit: number
}

export interface Decision {
  readonly state: Exclude<PermissionState, 'pending'>
  readonly message: string | null
  /** Unix milliseconds. */
  readonly at: number
}

/** What was decided is kept for so many of each agent; the audit log keeps the operator's decisions for ever. */
const KEPT = 500

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`

/** The rows of permissions. Methods that change something are to be called within a write of the database. */
export class PermissionStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Throws `not_found`, and `internal` when the row cannot be read. */
  get(id: number): Permission {
    const row = this.#db.get('SELECT * FROM permissions WHERE id = ?', id)
    if (!row) throw new HiveError('not_found', `there is no permission ${id}`)
    return readRow(`permission ${id}`, row, Columns)
  }

  idOf({ agent, epoch, request }: ToolCall): number | undefined {
    const sql = 'SELECT id FROM permissions WHERE agent = ? AND epoch = ? AND request = ?'
    const row = this.#db.get(sql, agent, epoch, request)
    return row && Number(row.id)
  }

  /** The newest that match, oldest first, long inputs cut, and the rows among them that cannot be read. */
  list({ all, agent, limit }: PermissionFilter): { permissions: Permission[]; errors: Undecodable[] } {
    const where = all ? '1' : `state = 'pending'`
    const found = this.#db.iterate(
      `SELECT * FROM permissions WHERE ${where} AND (?1 IS NULL OR agent = ?1) ORDER BY id DESC LIMIT ?2`,
      agent ?? null,
      limit,
    )
    const { rows: permissions, errors } = readNewest('permissions', found, Listed)
    return { permissions, errors }
  }

  /** Nothing of an agent stays: one with its name would take its calls for its own. */
  purge(agent: string): void {
    this.#db.run('DELETE FROM permissions WHERE agent = ?', agent)
  }

  countPending(agent: string): number {
    const sql = `SELECT count(*) AS n FROM permissions WHERE state = 'pending' AND agent = ?`
    return Number(this.#db.get(sql, agent)?.n)
  }

  /** Gives its id. What was decided for the agent long ago goes. */
  add({ agent, epoch, request, tool, input, description, pattern, askedAt, deadlineAt }: NewPermission): number {
    this.#db.run(
      `DELETE FROM permissions WHERE agent = ?1 AND state <> 'pending'
       AND id <= (SELECT id FROM permissions WHERE agent = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
      agent,
      KEPT,
    )
    return this.#db.run(
      `INSERT INTO permissions (agent, epoch, request, tool, input, description, pattern, state, asked_at, deadline_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?)`,
      agent,
      epoch,
      request,
      tool,
      input,
      description,
      pattern,
      askedAt,
      deadlineAt,
    ).lastInsertRowid
  }

  /** Gives whether it was pending. */
  decide(id: number, { state, message, at }: Decision): boolean {
    const sql = `UPDATE permissions SET state = ?, message = ?, decided_at = ? WHERE id = ? AND state = 'pending'`
    return this.#db.run(sql, state, message, at, id).changes === 1
  }

  /** Decides those whose time is over. */
  expire(now: number, message: string): void {
    this.#db.run(
      `UPDATE permissions SET state = 'expired', message = ?1, decided_at = ?2
       WHERE state = 'pending' AND deadline_at <= ?2`,
      message,
      now,
    )
  }

  /** Nobody asks for those of an agent any more. */
  withdrawAllOf(agent: string, at: number): void {
    const sql = `UPDATE permissions SET state = 'withdrawn', decided_at = ? WHERE state = 'pending' AND agent = ?`
    this.#db.run(sql, at, agent)
  }

  /** Those that are pending, as far as it matters whose they are. */
  pendingCalls(): { agent: string; epoch: number; id: number }[] {
    const rows = this.#db.all(`SELECT agent, epoch, id FROM permissions WHERE state = 'pending'`)
    return rows.map(({ agent, epoch, id }) => ({ agent: String(agent), epoch: Number(epoch), id: Number(id) }))
  }

  /** Unix milliseconds: when the time of the next one is over. */
  nextDeadline(): number | undefined {
    const at = this.#db.get(`SELECT min(deadline_at) AS at FROM permissions WHERE state = 'pending'`)?.at
    return at === null || at === undefined ? undefined : Number(at)
  }
}

import { z } from 'zod'
import type { Database, Row } from '../../kit/sqlite.ts'
import { Approval, type ApprovalKind, type ApprovalState } from '../../wire/approvals.ts'
import { HiveError } from '../../wire/errors.ts'
import { type Read, readRow, readRows } from '../read-rows.ts'

/** An approval as it is stored: what is going on with it at the moment is not. */
export type ApprovalRow = Omit<Approval, 'step' | 'position'> & {
  /** How often its deploy was begun. */
  readonly tries: number
}

const { id, agent, kind, state, sha, base, requester, description, note, tag } = Approval.shape
const Time = z.number()
const Columns = z
  .object({ id, agent, kind, state, sha, base, requester, description, note, tag })
  .extend({ requested_at: Time, decided_at: Time.nullable(), ended_at: Time.nullable(), tries: z.number().int() })
  .transform(
    ({ requested_at, decided_at, ended_at, ...same }): ApprovalRow => ({
      ...same,
      requestedAt: requested_at,
      decidedAt: decided_at,
      endedAt: ended_at,
    }),
  )

export interface NewApproval {
  readonly agent: string
  readonly kind: ApprovalKind
  readonly requester: string
  readonly description: string | undefined
}

/** What was on the screen of whoever decides. */
export interface Shown {
  readonly id: number
  readonly base: string | null
  readonly sha: string | null
}

export interface ApprovalFilter {
  readonly all: boolean
  readonly agent?: string
  readonly state?: ApprovalState
  readonly limit: number
}

const MAX_NOTE_CHARS = 4_000
const MAX_AUDITED_CHARS = 500

const OPEN = `state IN ('pending', 'stale', 'approved')`
/** Decided, but the tag or the news of it may be missing. */
const UNFINISHED = `(state = 'approved' OR state IN ('denied', 'failed') AND ended_at IS NULL)`

/**
 * The rows of approvals. Methods that change something are to be called within a write of the database, together with the
 * entry of the audit log; each gives whether the row was in the state that it needs, and changes nothing otherwise.
 */
export class ApprovalStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Throws `not_found`, and `internal` when the row cannot be read. */
  get(id: number): ApprovalRow {
    const row = this.#db.get('SELECT * FROM approvals WHERE id = ?', id)
    if (!row) throw new HiveError('not_found', `there is no approval ${id}`, { hint: 'hive pending lists them' })
    return readRow(`approval ${id}`, row, Columns)
  }

  /** The newest that match, newest last, and the rows among them that cannot be read. */
  list({ all, agent, state, limit }: ApprovalFilter): Read<ApprovalRow> {
    const where = all || state ? '1' : OPEN
    return readAll(
      this.#db
        .all(
          `SELECT * FROM approvals WHERE ${where} AND (?1 IS NULL OR agent = ?1) AND (?2 IS NULL OR state = ?2)
           ORDER BY id DESC LIMIT ?3`,
          agent ?? null,
          state ?? null,
          limit,
        )
        .reverse(),
    )
  }

  /** Those that the operator has decided and the daemon has not seen through, in the order of the decisions. */
  unfinished(): Read<ApprovalRow> {
    return readAll(this.#db.all(`SELECT * FROM approvals WHERE ${UNFINISHED} ORDER BY decided_at, id`))
  }

  /** Of deploys that have ended, newest last, and the rows among them that cannot be read. */
  deploys(agent: string | undefined, limit: number): Read<ApprovalRow> {
    const rows = this.#db.all(
      `SELECT * FROM approvals WHERE state IN ('deployed', 'failed') AND ended_at IS NOT NULL AND tag IS NOT NULL
       AND (?1 IS NULL OR agent = ?1) ORDER BY ended_at DESC, id DESC LIMIT ?2`,
      agent ?? null,
      limit,
    )
    return readAll(rows.reverse())
  }

  countOpen(): number {
    return Number(this.#db.get(`SELECT count(*) AS n FROM approvals WHERE ${OPEN}`)?.n)
  }

  countPending(): number {
    return Number(this.#db.get(`SELECT count(*) AS n FROM approvals WHERE state IN ('pending', 'stale')`)?.n)
  }

  /** A request that is complete as it is. Gives its id. */
  add({ agent, kind, requester, description }: NewApproval, at: number): number {
    return this.#insert({ agent, kind, requester, description }, at, 'pending', null)
  }

  /**
   * A proposal whose commit has yet to be taken in: it counts as failed until `takenIn`, so that it never waits for a decision
   * should the daemon end in between. Gives its id.
   */
  addIncomplete(approval: NewApproval, at: number): number {
    return this.#insert(approval, at, 'failed', 'the proposal was not taken in to the end')
  }

  #insert(approval: NewApproval, at: number, state: ApprovalState, note: string | null): number {
    const { agent, kind, requester, description = null } = approval
    return this.#db.run(
      `INSERT INTO approvals (agent, kind, state, requester, description, requested_at, ended_at, note)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      agent,
      kind,
      state,
      requester,
      description,
      at,
      state === 'failed' ? at : null,
      note,
    ).lastInsertRowid
  }

  takenIn({ id, base, sha }: Shown): void {
    this.#db.run(
      `UPDATE approvals SET state = 'pending', base = ?, sha = ?, ended_at = NULL, note = NULL WHERE id = ?`,
      base,
      sha,
      id,
    )
  }

  refused(id: number, note: string): void {
    this.#db.run('UPDATE approvals SET note = ? WHERE id = ?', clip(note), id)
  }

  /** A stale one was shown against what runs now. */
  shownAgain({ id, base }: Pick<Shown, 'id' | 'base'>): boolean {
    return this.#update(`UPDATE approvals SET state = 'pending', base = ? WHERE id = ? AND state = 'stale'`, base, id)
  }

  /** Compare and set: only what was shown can be approved, and only once. */
  approve({ id, base, sha }: Shown, at: number): boolean {
    return this.#update(
      `UPDATE approvals SET state = 'approved', decided_at = ?
       WHERE id = ? AND state = 'pending' AND base IS ? AND sha IS ?`,
      at,
      id,
      base,
      sha,
    )
  }

  deny(id: number, note: string, at: number): boolean {
    return this.#update(
      `UPDATE approvals SET state = 'denied', decided_at = ?, note = ? WHERE id = ? AND state IN ('pending', 'stale')`,
      at,
      note,
      id,
    )
  }

  cancel(id: number, at: number): boolean {
    return this.#update(
      `UPDATE approvals SET state = 'cancelled', ended_at = ? WHERE id = ? AND state IN ('pending', 'stale')`,
      at,
      id,
    )
  }

  /** It cannot come to anything any more. The tag and the news of it follow. */
  fail(id: number, note: string): boolean {
    return this.#update(`UPDATE approvals SET state = 'failed', note = ? WHERE id = ? AND ${OPEN}`, clip(note), id)
  }

  begin(id: number): void {
    this.#db.run('UPDATE approvals SET tries = tries + 1 WHERE id = ?', id)
  }

  /** What runs has changed since it was approved: it waits again, to be shown again. */
  unapprove(id: number): boolean {
    return this.#update(
      `UPDATE approvals SET state = 'stale', decided_at = NULL, tries = 0 WHERE id = ? AND state = 'approved'`,
      id,
    )
  }

  /** It is deployed: what else waits for a decision about the agent was shown against what runs no longer. */
  deployed(id: number, tag: string | null, at: number): void {
    this.#db.run(
      `UPDATE approvals SET state = 'deployed', ended_at = ?, tag = ? WHERE id = ? AND state = 'approved'`,
      at,
      tag,
      id,
    )
    this.#db.run(
      `UPDATE approvals SET state = 'stale' WHERE state = 'pending' AND kind = 'apply_commit'
       AND agent = (SELECT agent FROM approvals WHERE id = ?1 AND kind = 'apply_commit')`,
      id,
    )
  }

  /** Its tag is there and everybody was told. */
  finished(id: number, tag: string | null, at: number): void {
    this.#db.run('UPDATE approvals SET ended_at = ?, tag = ? WHERE id = ? AND ended_at IS NULL', at, tag, id)
  }

  #update(sql: string, ...values: (string | number | null)[]): boolean {
    return this.#db.run(sql, ...values).changes === 1
  }
}

/** What an agent has a hand in may be of any length; whole lists of it are sent at once. */
const clip = (note: string): string => (note.length > MAX_NOTE_CHARS ? `${note.slice(0, MAX_NOTE_CHARS)}…` : note)

/** Of a note, what is kept in the audit log: not what a container wrote. */
export const firstLine = (note: string): string => note.split('\n', 1)[0]?.slice(0, MAX_AUDITED_CHARS) ?? ''

const readAll = (rows: readonly Row[]): Read<ApprovalRow> => readRows('approvals', rows, Columns)

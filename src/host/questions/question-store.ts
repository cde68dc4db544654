import { z } from 'zod'
import type { Database } from '../../kit/sqlite.ts'
import { HiveError } from '../../wire/errors.ts'
import { CANCELLED_ANSWER, EXPIRED_ANSWER, Question } from '../../wire/questions.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import { JsonColumn, readNewest, readRow } from '../read-rows.ts'

const { id, asker, question, options, state, answer } = Question.shape
const Time = z.number()
const Columns = z
  .object({ id, asker, question, options: JsonColumn.pipe(options), state, answer })
  .extend({ multi: z.union([z.literal(0), z.literal(1)]), asked_at: Time })
  .extend({ deadline_at: Time.nullable(), answered_at: Time.nullable() })
  .transform(
    ({ multi, asked_at, deadline_at, answered_at, ...same }): Question => ({
      ...same,
      multi: multi === 1,
      askedAt: asked_at,
      deadlineAt: deadline_at,
      answeredAt: answered_at,
    }),
  )

export type NewQuestion = Pick<Question, 'asker' | 'question' | 'options' | 'multi' | 'askedAt' | 'deadlineAt'> & {
  readonly key: string | undefined
}

export interface QuestionFilter {
  /** Also those that have ended. */
  readonly all: boolean
  readonly agent?: string
  readonly limit: number
}

/** The rows of questions. Methods that change something are to be called within a write of the database. */
export class QuestionStore {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  /** Throws `not_found`, and `internal` when the row cannot be read. */
  get(id: number): Question {
    const row = this.#db.get('SELECT * FROM questions WHERE id = ?', id)
    if (!row) throw new HiveError('not_found', `there is no question ${id}`)
    return readRow(`question ${id}`, row, Columns)
  }

  /** What an agent asked with a key before. */
  idOf(asker: string, key: string): number | undefined {
    const row = this.#db.get('SELECT id FROM questions WHERE asker = ? AND key = ?', asker, key)
    return row && Number(row.id)
  }

  /** The newest that match, oldest first, and the rows among them that cannot be read. */
  list({ all, agent, limit }: QuestionFilter): { questions: Question[]; errors: Undecodable[] } {
    const where = all ? '1' : `state = 'open'`
    const found = this.#db.iterate(
      `SELECT * FROM questions WHERE ${where} AND (?1 IS NULL OR asker = ?1) ORDER BY id DESC LIMIT ?2`,
      agent ?? null,
      limit,
    )
    const { rows: questions, errors } = readNewest('questions', found, Columns)
    return { questions, errors }
  }

  /** How many questions of an agent are open, and how many characters they hold. */
  openOf(asker: string): { count: number; characters: number } {
    const row = this.#db.get(
      `SELECT count(*) AS count, coalesce(sum(length(question) + length(options)), 0) AS characters
       FROM questions WHERE state = 'open' AND asker = ?`,
      asker,
    )
    return { count: Number(row?.count), characters: Number(row?.characters) }
  }

  /** Gives its id. */
  add({ asker, question, options, multi, key, askedAt, deadlineAt }: NewQuestion): number {
    return this.#db.run(
      `INSERT INTO questions (asker, question, options, multi, key, state, asked_at, deadline_at)
       VALUES (?, ?, ?, ?, ?, 'open', ?, ?)`,
      asker,
      question,
      JSON.stringify(options),
      multi ? 1 : 0,
      key ?? null,
      askedAt,
      deadlineAt,
    ).lastInsertRowid
  }

  /** Gives whether it was open. */
  answer(id: number, answer: string, at: number): boolean {
    return this.#end(id, 'answered', answer, at)
  }

  /** Gives whether it was open. */
  cancel(id: number, at: number): boolean {
    return this.#end(id, 'cancelled', CANCELLED_ANSWER, at)
  }

  #end(id: number, state: 'answered' | 'cancelled', answer: string, at: number): boolean {
    const sql = `UPDATE questions SET state = ?, answer = ?, answered_at = ? WHERE id = ? AND state = 'open'`
    return this.#db.run(sql, state, answer, at, id).changes === 1
  }

  /** Ends those whose time is over. */
  expire(now: number): void {
    this.#db.run(
      `UPDATE questions SET state = 'expired', answer = ?, answered_at = ?2 WHERE state = 'open' AND deadline_at <= ?2`,
      EXPIRED_ANSWER,
      now,
    )
  }

  /** Ends those of an agent that is gone: there is nobody to be told. */
  cancelAllOf(asker: string, at: number): void {
    this.#db.run(
      `UPDATE questions SET state = 'cancelled', answer = ?, answered_at = ? WHERE state = 'open' AND asker = ?`,
      CANCELLED_ANSWER,
      at,
      asker,
    )
    this.#db.run(`UPDATE questions SET told = 1 WHERE state <> 'open' AND told = 0 AND asker = ?`, asker)
  }

  /** Unix milliseconds: when the next one expires. */
  nextDeadline(): number | undefined {
    const at = this.#db.get(`SELECT min(deadline_at) AS at FROM questions WHERE state = 'open'`)?.at
    return at === null || at === undefined ? undefined : Number(at)
  }

  /** Those that have ended and whose asker does not know yet, oldest first, `limit` at most. Those that cannot be read are not among them. */
  untold(limit: number): Question[] {
    const rows = this.#db.all(`SELECT * FROM questions WHERE state <> 'open' AND told = 0 ORDER BY id LIMIT ?`, limit)
    return rows.flatMap((row) => Columns.safeParse(row).data ?? [])
  }

  told(id: number): void {
    this.#db.run('UPDATE questions SET told = 1 WHERE id = ?', id)
  }
}

import type { Database, Row } from '../../kit/sqlite.ts'
import { Spent, TurnRow, UsageRow } from '../../wire/money.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import type { EndedTurn } from '../broker/store.ts'
import { type Read, readRows } from '../read-rows.ts'
import { dayBefore, dayOf } from './day.ts'
import { contextOf, figuresOf } from './figures.ts'

const FIGURES_OF_TURN = `input_tokens AS inputTokens, output_tokens AS outputTokens, cache_read_tokens AS cacheReadTokens,
  cache_write_tokens AS cacheWriteTokens, dollars, duration_ms AS durationMs`
const FIGURES = `turns, ${FIGURES_OF_TURN}`
/** `total` is a REAL, and 0 where there is nothing. */
const SUMS = `total(turns) AS turns, total(input_tokens) AS inputTokens, total(output_tokens) AS outputTokens,
  total(cache_read_tokens) AS cacheReadTokens, total(cache_write_tokens) AS cacheWriteTokens, total(dollars) AS dollars,
  total(duration_ms) AS durationMs`

/** The names of models are an agent's claim: a day has so many of each at most, what comes after is filed as `other`. */
const MAX_MODELS = 16

/** Of one day. */
interface Sums {
  readonly day: string
  readonly agents: Map<string, Spent>
  hive: Spent | undefined
}

/** Every turn that ended, and their sums by day, agent and model. */
export class Ledger {
  readonly #db: Database
  readonly #now: () => number
  /** Sums of one day, read when they are asked for and forgotten with the next turn. */
  #sums: Sums = { day: '', agents: new Map(), hive: undefined }

  /** `now`: unix ms. */
  constructor(db: Database, now: () => number = Date.now) {
    this.#db = db
    this.#now = now
  }

  /** Adds a turn to the list and to the sums. To be called within the write that ends it: so it is there once, and never without. */
  record({ agent, epoch, message, attempt, at, reason, usage }: EndedTurn): void {
    const day = dayOf(at)
    const { model: named, ...spent } = figuresOf(usage)
    const model = this.#fileUnder(day, agent, named)
    const figures = [
      spent.inputTokens,
      spent.outputTokens,
      spent.cacheReadTokens,
      spent.cacheWriteTokens,
      spent.dollars,
      spent.durationMs,
    ]
    this.#db.run(
      `INSERT INTO turns (agent, epoch, message, attempt, at, day, model, reason,
         input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, dollars, duration_ms, context_tokens)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[agent, epoch, message, attempt, at, day, model, reason],
      ...figures,
      contextOf(usage),
    )
    this.#db.run(
      `INSERT INTO usage VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         turns = turns + 1,
         input_tokens = input_tokens + excluded.input_tokens,
         output_tokens = output_tokens + excluded.output_tokens,
         cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
         cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
         dollars = dollars + excluded.dollars,
         duration_ms = duration_ms + excluded.duration_ms`,
      ...[day, agent, model],
      ...figures,
    )
    this.#db.run('INSERT INTO turn_counts VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1', agent, reason)
    this.#forget(agent)
  }

  #fileUnder(day: string, agent: string, model: string): string {
    const known = this.#db.all('SELECT model FROM usage WHERE day = ? AND agent = ?', day, agent)
    return known.length < MAX_MODELS || known.some((row) => row.model === model) ? model : 'other'
  }

  #forget(agent: string): void {
    this.#sums.agents.delete(agent)
    this.#sums.hive = undefined
  }

  /** The sums of today, as far as they are known already. */
  #today(): Sums {
    const day = dayOf(this.#now())
    if (this.#sums.day !== day) this.#sums = { day, agents: new Map(), hive: undefined }
    return this.#sums
  }

  /** What the turns of an agent that ended today have used. */
  spentBy(agent: string): Spent {
    const { day, agents } = this.#today()
    const known = agents.get(agent)
    if (known) return known
    const spent = this.#sum('WHERE day = ? AND agent = ?', day, agent)
    agents.set(agent, spent)
    return spent
  }

  /** The same for all agents, also those that are gone. */
  spentByAll(): Spent {
    const today = this.#today()
    today.hive ??= this.#sum('WHERE day = ?', today.day)
    return today.hive
  }

  #sum(where: string, ...values: string[]): Spent {
    return Spent.parse(this.#db.get(`SELECT ${SUMS} FROM usage ${where}`, ...values))
  }

  /** Sums by day, agent and model of today and the `days - 1` days before, newest last, and the rows that cannot be read. */
  usage(agent: string | undefined, days: number): Read<UsageRow> {
    return readUsage(
      this.#db.all(
        `SELECT day, agent, model, ${FIGURES} FROM usage WHERE day >= ?1 AND (?2 IS NULL OR agent = ?2) ORDER BY day, agent, model`,
        dayBefore(this.#now(), days - 1),
        agent ?? null,
      ),
    )
  }

  /** The newest turns of an agent, newest last, and the rows among them that cannot be read. */
  turns(agent: string, limit: number): { turns: TurnRow[]; errors: Undecodable[] } {
    const found = this.#db.all(
      `SELECT id, agent, at, model, reason, message, ${FIGURES_OF_TURN}, context_tokens AS contextTokens
         FROM turns WHERE agent = ? ORDER BY id DESC LIMIT ?`,
      agent,
      limit,
    )
    const { rows: turns, errors } = readRows('turns', found.reverse(), TurnRow)
    return { turns, errors }
  }

  /** How many turns have ended for which reason, and what was spent on which model, by agent: of all days. */
  totals(): { turns: { agent: string; reason: string; n: number }[]; usage: UsageRow[] } {
    const turns = this.#db.all('SELECT agent, reason, n FROM turn_counts ORDER BY agent, reason')
    return {
      turns: turns.map(({ agent, reason, n }) => ({ agent: String(agent), reason: String(reason), n: Number(n) })),
      usage: readUsage(
        this.#db.all(`SELECT '' AS day, agent, model, ${SUMS} FROM usage GROUP BY agent, model ORDER BY agent, model`),
      ).rows,
    }
  }

  /** Deletes at most `limit` turns that ended before `before` (unix ms), not their sums; gives how many. */
  vacuum(before: number, limit: number): Promise<number> {
    return this.#db.write(
      () =>
        this.#db.run('DELETE FROM turns WHERE id IN (SELECT id FROM turns WHERE at < ? LIMIT ?)', before, limit)
          .changes,
    )
  }

  /** Forgets all that an agent has spent. */
  async purge(agent: string): Promise<void> {
    await this.#db.write(
      () => {
        for (const table of ['turns', 'usage', 'turn_counts', 'days'])
          this.#db.run(`DELETE FROM ${table} WHERE agent = ?`, agent)
        this.#forget(agent)
      },
      { essential: true },
    )
  }
}

const readUsage = (found: readonly Row[]): Read<UsageRow> =>
  readRows('usage', found, UsageRow, (row) => `${row.day} ${row.agent}`)

import type { Database } from '../../kit/sqlite.ts'
import { createTokenBuckets } from '../../kit/token-bucket.ts'
import { HiveError } from '../../wire/errors.ts'
import { MANAGER, OPERATOR } from '../../wire/names.ts'
import { CANCELLED_ANSWER, type Question } from '../../wire/questions.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import { attemptAll, type DueSource } from '../alarm.ts'
import type { AuditLog } from '../audit-log.ts'
import type { Broker } from '../broker/broker.ts'
import { type QuestionFilter, QuestionStore } from './question-store.ts'

export interface QuestionsOptions {
  readonly db: Database
  readonly registry: Pick<AgentRegistry, 'has'>
  readonly broker: Pick<Broker, 'tell'>
  readonly audit: AuditLog
  /** Whether an agent's configuration lets it ask. */
  readonly mayAsk: (agent: string) => boolean
  /** Told of every change: something else may wait for the operator, or be due next. */
  readonly onChange: () => void
  readonly passes: (point: string) => void
  /** Unix milliseconds. */
  readonly now?: () => number
}

export interface Asked {
  readonly question: string
  readonly options: string[]
  readonly multi: boolean
  readonly ttlSeconds: number | undefined
  /** The same question again. */
  readonly key: string | undefined
}

/** So much may be open for each agent: one that asks more has lost its way. */
const MAX_OPEN = 20
const MAX_OPEN_CHARACTERS = 64 * 1024
/** Rows are kept for ever, so what is asked and taken back again and again has to be slow. */
const RATE = { perSecond: 1 / 30, burst: 2 * MAX_OPEN }
/** Told at once; the others follow. */
const TOLD_AT_ONCE = 100
const MAX_LISTED = 1000
/** Of a question or an answer where it is only mentioned. */
const MENTIONED_CHARS = 1_000

/** What agents ask the operator. Every question ends once, and its asker is told so once, whoever ended it and whatever was killed meanwhile. */
export class Questions implements DueSource {
  readonly name = 'answers to agents'
  readonly #options: QuestionsOptions
  readonly #store: QuestionStore
  readonly #now: () => number
  readonly #rates

  constructor(options: QuestionsOptions) {
    this.#options = options
    this.#store = new QuestionStore(options.db)
    this.#now = options.now ?? Date.now
    this.#rates = createTokenBuckets(RATE, () => performance.now())
  }

  /**
   * Asks; the answer comes later, as an event. Gives the id of the question. Throws `forbidden` when the agent may not ask,
   * `too_many`, and `rate_limited`.
   */
  async ask(asker: string, { question, options, multi, ttlSeconds, key }: Asked): Promise<number> {
    const { db, mayAsk, onChange } = this.#options
    if (asker !== MANAGER && !mayAsk(asker)) {
      throw new HiveError('forbidden', 'you may not ask the operator', {
        hint: 'ask the manager: it can answer, ask for you, or propose askOperator for your agent.json',
      })
    }
    const askedAt = this.#now()
    const deadlineAt = ttlSeconds === undefined ? null : askedAt + ttlSeconds * 1000
    const id = await db.write(() => {
      const before = key === undefined ? undefined : this.#store.idOf(asker, key)
      if (before !== undefined) return before
      this.#assertRoom(asker, question.length + JSON.stringify(options).length)
      return this.#store.add({ asker, question, options, multi, key, askedAt, deadlineAt })
    })
    onChange()
    return id
  }

  #assertRoom(asker: string, more: number): void {
    const { count, characters } = this.#store.openOf(asker)
    const hint = 'end your turn, an answer wakes you; take back what is not needed with cancel_question'
    if (count >= MAX_OPEN) {
      throw new HiveError('too_many', `${count} questions of yours wait for the operator already`, { hint })
    }
    if (characters + more > MAX_OPEN_CHARACTERS) {
      throw new HiveError('too_many', `your open questions would hold more than ${MAX_OPEN_CHARACTERS} characters`, {
        hint: `ask shorter, put long text into a file; or ${hint}`,
      })
    }
    if (!this.#rates.take(asker)) {
      throw new HiveError('rate_limited', 'you ask too often', {
        hint: 'end your turn; one question each 30 s at most',
      })
    }
  }

  /** Takes back a question of `asker`'s own, which is told nothing. Throws `not_found` for any other, `conflict` when it has ended. */
  async takeBack(asker: string, id: number): Promise<void> {
    const { db, onChange } = this.#options
    await db.write(() => {
      const row = this.#store.get(id)
      if (row.asker !== asker) throw new HiveError('not_found', `there is no question ${id} of yours`)
      assertOpen(row)
      this.#store.cancel(id, this.#now())
      this.#store.told(id)
    })
    onChange()
  }

  /** Answers a question as the operator. Throws `not_found`, and `conflict` when it has ended. */
  answer(id: number, answer: string): Promise<Question> {
    return this.#decide(id, 'answer', answer, (at) => this.#store.answer(id, answer, at))
  }

  /** Ends a question as the operator, without an answer. Throws `not_found`, and `conflict` when it has ended. */
  cancel(id: number): Promise<Question> {
    return this.#decide(id, 'cancel_question', CANCELLED_ANSWER, (at) => this.#store.cancel(id, at))
  }

  async #decide(id: number, verb: string, answer: string, end: (at: number) => void): Promise<Question> {
    const { db, audit, passes, onChange } = this.#options
    await db.write(() => {
      const row = this.#store.get(id)
      const at = this.#now()
      assertOpen(row)
      if (row.deadlineAt !== null && row.deadlineAt <= at) {
        throw new HiveError('conflict', `question ${id} is expired already`)
      }
      end(at)
      const detail = { question: id, answer: answer.slice(0, MENTIONED_CHARS) }
      audit.add({ actor: OPERATOR, verb, agent: row.asker, detail })
    })
    passes('answer.decided')
    const ended = this.#store.get(id)
    // The answer stands; what cannot be told now is told when the alarm looks.
    await attemptAll([ended], (question) => this.#tell(question))
    onChange()
    return ended
  }

  /** The key of the message makes it one, should this be killed before the mark is set. */
  async #tell({ id, asker, question, answer }: Question): Promise<void> {
    const { db, registry, broker } = this.#options
    if (registry.has(asker)) {
      const event = { event: 'operator_answered', id, question: question.slice(0, MENTIONED_CHARS) } as const
      await broker.tell(asker, { ...event, answer: answer ?? '' }, `question-${id}`)
    }
    await db.write(() => this.#store.told(id), { essential: true })
  }

  /** Ends what a destroyed agent asked. */
  async cancelAllOf(asker: string): Promise<void> {
    const { db, onChange } = this.#options
    await db.write(() => this.#store.cancelAllOf(asker, this.#now()))
    onChange()
  }

  /** Cancels those of agents that were destroyed and could not be told of. */
  async cancelOfGone(): Promise<void> {
    const { registry } = this.#options
    const askers = new Set(this.open().questions.map(({ asker }) => asker))
    for (const asker of askers) if (!registry.has(asker)) await this.cancelAllOf(asker)
  }

  /** Those that match, oldest first, and the rows among them that cannot be read. */
  list(filter: QuestionFilter): { questions: Question[]; errors: Undecodable[] } {
    return this.#store.list(filter)
  }

  /** Those that wait for the operator. */
  open(): { questions: Question[]; errors: Undecodable[] } {
    return this.#store.list({ all: false, limit: MAX_LISTED })
  }

  /** An answer that is not told yet is due now. */
  nextAt(): number | undefined {
    return this.#store.untold(1).length > 0 ? 0 : this.#store.nextDeadline()
  }

  async tellDue(now: number): Promise<unknown[]> {
    const { db, onChange } = this.#options
    if ((this.#store.nextDeadline() ?? Number.POSITIVE_INFINITY) <= now) {
      await db.write(() => this.#store.expire(now), { essential: true })
      onChange()
    }
    return attemptAll(this.#store.untold(TOLD_AT_ONCE), (question) => this.#tell(question))
  }
}

function assertOpen({ id, state, answer }: Question): void {
  if (state === 'open') return
  const words = state === 'answered' ? `: ${answer?.slice(0, MENTIONED_CHARS)}` : ''
  throw new HiveError('conflict', `question ${id} is ${state} already${words}`)
}

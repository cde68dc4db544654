import { createNotifier } from '../../kit/notifier.ts'
import type { Database } from '../../kit/sqlite.ts'
import { createTokenBuckets } from '../../kit/token-bucket.ts'
import { HiveError } from '../../wire/errors.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Permission, PermissionState } from '../../wire/permissions.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import type { DueSource } from '../alarm.ts'
import type { AuditLog } from '../audit-log.ts'
import { isCovered, patternFor } from './bash-pattern.ts'
import { type PermissionFilter, PermissionStore, type ToolCall } from './permission-store.ts'

export interface PermissionsOptions {
  readonly db: Database
  readonly audit: AuditLog
  /** Patterns of the commands that an agent may run; undefined: it may run all. */
  readonly bashOf: (agent: string) => readonly string[] | undefined
  /** How long a turn waits for a decision. */
  readonly waitMs: number
  /** Told of every change: something else may wait for the operator, or be due next. */
  readonly onChange: () => void
  /** Unix milliseconds. */
  readonly now?: () => number
}

export interface ToolUse {
  readonly tool: string
  /** JSON, maybe cut. */
  readonly input: string
  readonly description: string | undefined
}

/** An engine asks for a few at once; one that asks for more is no engine. */
const MAX_PENDING = 16
const RATE = { perSecond: 1, burst: 4 * MAX_PENDING }
const MAX_LISTED = 1000
const MAX_AUDITED_CHARS = 500

/** Uses of tools that the engines of agents may not make by themselves: each waits for the operator, and is refused in the end. */
export class Permissions implements DueSource {
  readonly name = 'permissions'
  readonly #options: PermissionsOptions
  readonly #store: PermissionStore
  readonly #now: () => number
  readonly #rates
  /** Notified of every decision. */
  readonly #decisions = createNotifier()

  constructor(options: PermissionsOptions) {
    this.#options = options
    this.#store = new PermissionStore(options.db)
    this.#now = options.now ?? Date.now
    this.#rates = createTokenBuckets(RATE, () => performance.now())
  }

  /**
   * Asks the operator, unless that was done for the same call, and waits `waitMs` at most for the decision: `pending` when there
   * is none by then. Throws `too_many`, and `rate_limited`.
   */
  async ask(
    call: ToolCall,
    use: ToolUse,
    { waitMs, signal }: { waitMs: number; signal: AbortSignal },
  ): Promise<{ state: PermissionState; message: string | null }> {
    const until = performance.now() + waitMs
    const id = this.#store.idOf(call) ?? (await this.#add(call, use))
    for (;;) {
      const { state, message } = this.#store.get(id)
      const leftMs = until - performance.now()
      if (state !== 'pending' || leftMs <= 0 || signal.aborted) return { state, message }
      await this.#decisions.wait(leftMs, signal)
    }
  }

  async #add(call: ToolCall, { tool, input, description }: ToolUse): Promise<number> {
    const { db, waitMs, onChange } = this.#options
    const askedAt = this.#now()
    const pattern = this.#patternFor(call.agent, tool, input)
    const id = await db.write(() => {
      const before = this.#store.idOf(call)
      if (before !== undefined) return before
      if (this.#store.countPending(call.agent) >= MAX_PENDING) {
        throw new HiveError('too_many', `${MAX_PENDING} calls wait for the operator already`)
      }
      if (!this.#rates.take(call.agent)) throw new HiveError('rate_limited', 'too many calls ask for a permission')
      const deadlineAt = askedAt + waitMs
      return this.#store.add({ ...call, tool, input, description: description ?? null, pattern, askedAt, deadlineAt })
    })
    onChange()
    return id
  }

  /** What is asked for although it is allowed, no pattern helps: the engine wants somebody to look. */
  #patternFor(agent: string, tool: string, input: string): string | null {
    const allowed = this.#options.bashOf(agent)
    const pattern = patternFor(tool, input)
    return pattern === null || allowed === undefined || isCovered(allowed, pattern) ? null : pattern
  }

  /** The engine does not ask for a call any more. */
  async withdraw(call: ToolCall): Promise<void> {
    const { db } = this.#options
    await db.write(
      () => {
        const id = this.#store.idOf(call)
        if (id !== undefined) this.#store.decide(id, { state: 'withdrawn', message: null, at: this.#now() })
      },
      { essential: true },
    )
    this.#changed()
  }

  /** The turn of an agent is over. */
  async withdrawAllOf(agent: string): Promise<void> {
    if (!this.isAsking(agent)) return
    await this.#options.db.write(() => this.#store.withdrawAllOf(agent, this.#now()), { essential: true })
    this.#changed()
  }

  /** At the start: ends what was asked in turns that are over. */
  async resume(goesOn: (agent: string, epoch: number) => boolean): Promise<void> {
    const over = this.#store.pendingCalls().filter(({ agent, epoch }) => !goesOn(agent, epoch))
    const withdrawn = { state: 'withdrawn', message: null, at: this.#now() } as const
    await this.#options.db.write(
      () => {
        for (const { id } of over) this.#store.decide(id, withdrawn)
      },
      { essential: true },
    )
  }

  /** Permits one use as the operator. Throws `not_found`, and `conflict` when it is not pending any more. */
  permit(id: number): Promise<Permission> {
    return this.#decide(id, 'permitted', null)
  }

  /** Refuses one use as the operator; the agent reads `message`. Throws `not_found`, and `conflict` when it is not pending any more. */
  refuse(id: number, message: string): Promise<Permission> {
    return this.#decide(id, 'refused', message || null)
  }

  async #decide(id: number, state: 'permitted' | 'refused', message: string | null): Promise<Permission> {
    const { db, audit } = this.#options
    await db.write(
      () => {
        const row = this.#store.get(id)
        const at = this.#now()
        const isLate = row.state === 'pending' && row.deadlineAt <= at
        if (row.state !== 'pending' || isLate) {
          throw new HiveError('conflict', `permission ${id} is ${isLate ? 'expired' : row.state} already`)
        }
        this.#store.decide(id, { state, message, at })
        const { agent, tool, input } = row
        const detail = { permission: id, tool, input: input.slice(0, MAX_AUDITED_CHARS), ...(message && { message }) }
        audit.add({ actor: OPERATOR, verb: state === 'permitted' ? 'permit' : 'refuse', agent, detail })
      },
      { essential: true },
    )
    this.#changed()
    return this.#store.get(id)
  }

  /** Throws `not_found`. */
  get(id: number): Permission {
    return this.#store.get(id)
  }

  /** Forgets all of an agent that is gone for good. */
  async purge(agent: string): Promise<void> {
    await this.#options.db.write(() => this.#store.purge(agent), { essential: true })
    this.#changed()
  }

  /** Those that match, oldest first, and the rows among them that cannot be read. */
  list(filter: PermissionFilter): { permissions: Permission[]; errors: Undecodable[] } {
    return this.#store.list(filter)
  }

  /** Those that wait for the operator. */
  pending(): { permissions: Permission[]; errors: Undecodable[] } {
    return this.#store.list({ all: false, limit: MAX_LISTED })
  }

  /** Whether the turn of an agent waits for the operator. */
  isAsking(agent: string): boolean {
    return this.#store.countPending(agent) > 0
  }

  nextAt(): number | undefined {
    return this.#store.nextDeadline()
  }

  async tellDue(now: number): Promise<unknown[]> {
    if ((this.#store.nextDeadline() ?? Number.POSITIVE_INFINITY) > now) return []
    const message = `nobody decided within ${Math.round(this.#options.waitMs / 1000)} s`
    await this.#options.db.write(() => this.#store.expire(now, message), { essential: true })
    this.#changed()
    return []
  }

  #changed(): void {
    this.#decisions.notify()
    this.#options.onChange()
  }
}

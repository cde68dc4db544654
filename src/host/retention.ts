import type { Log } from '../kit/log.ts'
import { errorText } from '../wire/errors.ts'
import { type Problem, Problems } from './problems.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Messages are kept so long after they were done; those that are not done, for ever. */
export const KEEP_DONE_MS = 30 * DAY_MS
/** Figures of single turns; their sums are kept. */
export const KEEP_TURNS_MS = 90 * DAY_MS
/** Lines of engines' streams; the other events are kept. */
export const KEEP_STREAM_MS = 14 * DAY_MS
/** Deleted in one commit: others wait for it. */
export const STEP = 500

/** Something that is kept for a while only. */
export interface Perishable {
  /** In the plural, for people. */
  readonly what: string
  readonly keepMs: number
  /** Deletes at most `limit` of those from before `before` (unix ms), in one commit; gives how many. */
  readonly vacuum: (before: number, limit: number) => Promise<number>
}

export interface RetentionOptions {
  readonly perishables: readonly Perishable[]
  readonly everyMs: number
  readonly log: Log
  readonly now?: () => number
}

/**
 * Deletes what is older than it is kept: at the start, and from then on at intervals. In steps that let others in between, so
 * one that is interrupted goes on with the next sweep; what fails is shown and keeps nothing else from being swept.
 */
export class Retention implements AsyncDisposable {
  readonly #options: RetentionOptions
  readonly #problems = new Problems()
  readonly #timer: NodeJS.Timeout
  #ended = false
  #sweeping: Promise<void>

  constructor(options: RetentionOptions) {
    this.#options = options
    this.#sweeping = this.#sweepAll()
    this.#timer = setInterval(() => {
      this.#sweeping = this.#sweeping.then(() => this.#sweepAll())
    }, options.everyMs)
  }

  /** What could not be swept last time. */
  errors(): Problem[] {
    return this.#problems.list()
  }

  async #sweepAll(): Promise<void> {
    for (const perishable of this.#options.perishables) await this.#sweep(perishable)
  }

  async #sweep({ what, keepMs, vacuum }: Perishable): Promise<void> {
    const { now = Date.now, log } = this.#options
    const where = `deletion of old ${what}`
    let sum = 0
    try {
      for (let deleted = STEP; deleted === STEP && !this.#ended; sum += deleted) {
        deleted = await vacuum(now() - keepMs, STEP)
      }
      this.#problems.clear(where)
    } catch (error) {
      if (this.#ended) return // The database was closed under it.
      this.#problems.note(where, error)
      log.error({ what, error: errorText(error) }, 'what is old could not be deleted')
    }
    if (sum > 0) log.info({ what, deleted: sum }, 'deleted what is old')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    clearInterval(this.#timer)
    await this.#sweeping
  }
}

import type { Log } from '../kit/log.ts'
import { errorText } from '../wire/errors.ts'
import { type Problem, Problems } from './problems.ts'

/** What knows when agents are to be told of something. */
export interface DueSource {
  /** What its troubles are listed under. */
  readonly name: string
  /** Unix milliseconds of what is due next, which may have passed; undefined when there is nothing. */
  nextAt(): number | undefined
  /** Tells of what is due. Gives what failed: that is still due. */
  tellDue(now: number): Promise<unknown[]>
}

export interface AlarmOptions {
  /** Those that come first are asked first. */
  readonly sources: readonly DueSource[]
  /** A deadline is looked at so often: the clock of the world may have been set meanwhile, and the machine may have slept. */
  readonly deadlineMs: number
  readonly log: Log
  /** Unix milliseconds. */
  readonly now?: () => number
}

/** When what was due could not be told, as on a full disk. */
const TRY_AGAIN_MS = 5_000

/** One timer for all that is due at some time of the world's clock. */
export class Alarm implements AsyncDisposable {
  readonly #options: AlarmOptions
  readonly #now: () => number
  readonly #problems = new Problems()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #ended = false

  constructor(options: AlarmOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** What could not be told, and is tried again. */
  errors(): Problem[] {
    return this.#problems.list()
  }

  /** Sets the timer for what is due next. To be called when that may have changed. */
  set(): void {
    // A look sets it when it ends; what failed has its time already.
    if (this.#ended || this.#looking || this.errors().length > 0) return
    const { sources, deadlineMs } = this.#options
    const next = Math.min(...sources.map((source) => source.nextAt() ?? Number.POSITIVE_INFINITY))
    this.#lookIn(Math.min(deadlineMs, Math.max(0, next - this.#now())))
  }

  #lookIn(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.look(), delayMs).unref()
  }

  /** Tells now of what is due. */
  look(): void {
    if (this.#ended) return
    this.#looking ??= this.#tellDue().finally(() => {
      this.#looking = undefined
      if (this.errors().length === 0) this.set()
      else if (!this.#ended) this.#lookIn(TRY_AGAIN_MS)
    })
  }

  async #tellDue(): Promise<void> {
    const { sources } = this.#options
    for (const source of sources) {
      try {
        this.#note(source.name, await source.tellDue(this.#now()))
      } catch (error) {
        this.#note(source.name, [error])
      }
    }
  }

  #note(name: string, [failure, ...more]: readonly unknown[]): void {
    if (failure === undefined) {
      this.#problems.clear(name)
      return
    }
    const isNew = !this.errors().some(({ where }) => where === name)
    const problem = more.length > 0 ? `${errorText(failure)}; and ${more.length} more` : errorText(failure)
    this.#problems.note(name, problem)
    if (isNew) this.#options.log.warn({ what: name, error: problem }, 'what is due cannot be told; it is tried again')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    await this.#looking
  }
}

/** They share a commit; between two such steps others get their turn. */
const STEP = 100

/** Does the same with all of them. Gives what was thrown. */
export async function attemptAll<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<unknown[]> {
  const failures: unknown[] = []
  for (let done = 0; done < all.length; done += STEP) {
    const results = await Promise.allSettled(all.slice(done, done + STEP).map(act))
    failures.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])))
  }
  return failures
}

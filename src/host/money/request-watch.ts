import type { DayNotes } from './day-notes.ts'

export interface RequestWatchOptions {
  /** How many requests to its model each agent has made since the gateway started. Throws when the gateway is away. */
  readonly count: () => Promise<ReadonlyMap<string, number>>
  readonly notes: Pick<DayNotes, 'addRequests'>
  /** Whether an agent had a turn, or its engine something to do, at some time from `since` on (steady clock, ms). */
  readonly hasWorked: (agent: string, since: number) => boolean
  /** Steady clock, ms. */
  readonly now: () => number
  readonly everyMs?: number
}

const EVERY_MS = 60_000

/** Asks the gateway every minute, and whenever somebody wants to know, what agents have asked of their models since. */
export class RequestWatch implements Disposable {
  readonly #options: RequestWatchOptions
  /** What the gateway said last; undefined: it was not asked yet, and what was before belongs to nobody knows which day. */
  #seen: ReadonlyMap<string, number> | undefined
  #seenAt: number
  #looking: Promise<void> = Promise.resolve()
  readonly #timer: NodeJS.Timeout

  constructor(options: RequestWatchOptions) {
    this.#options = options
    this.#seenAt = options.now()
    this.#timer = setInterval(() => void this.look(), options.everyMs ?? EVERY_MS)
    void this.look()
  }

  /** Adds what is new to the notes of the day. Never rejects. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() =>
      this.#look().catch(() => {
        // The gateway is away, or the disk is full: both are shown by whoever looks after them. The next look makes up for it.
      }),
    )
    return this.#looking
  }

  async #look(): Promise<void> {
    const { count, notes, hasWorked, now } = this.#options
    const [counted, at] = [await count(), now()]
    const seen = this.#seen
    const news = [...counted].flatMap(([agent, total]) => {
      const requests = seen ? newRequests(seen.get(agent) ?? 0, total) : 0
      return requests > 0 ? [{ agent, requests, unexplained: hasWorked(agent, this.#seenAt) ? 0 : requests }] : []
    })
    await notes.addRequests(news)
    this.#seen = counted
    this.#seenAt = at
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

/** A gateway that was started again counts from 0. */
const newRequests = (before: number, total: number): number => (total < before ? total : total - before)

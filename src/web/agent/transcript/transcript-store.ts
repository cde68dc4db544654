import { errorText } from '../../../wire/errors.ts'
import type { StoredEvent } from '../../../wire/events.ts'
import { Fold, UNLIMITED } from './fold.ts'
import { type Call, eventsOf, type Row } from './row.ts'

/** Where the events of one agent come from: operations of the hive, and the topic `events:<agent>` of its stream. */
export interface EventSource {
  /** A page, oldest first: after a number, or the newest ones before it. Only a page without any says that there are no more. */
  readonly page: (where: { after?: number; before?: number; limit: number }) => Promise<readonly StoredEvent[]>
  readonly event: (seq: number) => Promise<StoredEvent>
  /** Events with a text, newest first; `next` is where to go on, null at the beginning. */
  readonly search: (text: string, before?: number) => Promise<{ events: readonly StoredEvent[]; next: number | null }>
  /** Tells of events as they are stored, until what it returns is called. */
  readonly follow: (follower: Follower) => () => void
}

export interface Follower {
  /** Every event after this one will be told of: at first, and whenever there were some of which the stream cannot tell. */
  readonly began: (seq: number) => void
  readonly events: (events: readonly StoredEvent[]) => void
}

/** What is shown of a transcript at one moment. */
export interface TranscriptSnapshot {
  readonly rows: readonly Row[]
  /** Grows when other events are shown than before, not only more of them. */
  readonly generation: number
  /** Whether there is anything to show yet. */
  readonly isOpen: boolean
  /** There is more before the rows, or after them. */
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  /** What is older was put out of sight, until it is asked for. */
  readonly isCleared: boolean
  /** Why the last attempt to fetch failed. */
  readonly problem: string | undefined
}

const PAGE = 500

/**
 * The rows of one agent's transcript: a run of events without a hole that grows at both ends. Usually it ends where the agent
 * is now; after a jump into the past it may end before, and what comes meanwhile is fetched when the reader gets there.
 */
export class TranscriptStore {
  readonly #source: EventSource
  readonly #defer: (run: () => void) => void
  readonly #listeners = new Set<() => void>()
  #fold = new Fold()
  #oldest = 0
  #newest = 0
  /** How often something came that is not among the rows, since they last ended where the agent was. */
  #missed = 0
  #isDeferred = false
  #stop: (() => void) | undefined
  #fetching: Promise<void> | undefined
  #snapshot: TranscriptSnapshot = {
    rows: [],
    generation: 0,
    isOpen: false,
    hasOlder: false,
    hasNewer: false,
    isCleared: false,
    problem: undefined,
  }

  /** `defer`: what comes before it runs is shown at once. */
  constructor(source: EventSource, defer: (run: () => void) => void = (run) => void setTimeout(run, FRAME_MS)) {
    this.#source = source
    this.#defer = defer
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  readonly snapshot = (): TranscriptSnapshot => this.#snapshot

  /** Shows the newest events, or those around one of them, and follows what comes. */
  async show(seq?: number): Promise<void> {
    this.#stop ??= this.#source.follow(this.#follower)
    while (this.#fetching) await this.#fetching
    this.#missed += 1
    await this.#fetch(async () => {
      const missed = this.#missed
      const events = await this.#around(seq)
      this.#fold = new Fold()
      this.#fold.append(events)
      this.#oldest = events[0]?.seq ?? 0
      this.#newest = events.at(-1)?.seq ?? 0
      if (seq === undefined || this.#newest <= seq) this.#join(missed)
      return { generation: this.#snapshot.generation + 1, isOpen: true, hasOlder: events.length > 0, isCleared: false }
    })
  }

  /** Puts all rows out of sight; what comes is shown. */
  async clear(): Promise<void> {
    while (this.#fetching) await this.#fetching
    this.#fold = new Fold()
    this.#oldest = this.#newest + 1
    this.#publish({ generation: this.#snapshot.generation + 1, hasOlder: false, isCleared: true })
  }

  /** Undoes `clear`. */
  async unclear(): Promise<void> {
    this.#publish({ hasOlder: true, isCleared: false })
    await this.loadOlder()
  }

  /** Takes another page before the rows. */
  async loadOlder(): Promise<void> {
    if (!this.#snapshot.hasOlder) return
    await this.#fetch(async () => {
      const events = await this.#source.page({ before: this.#oldest, limit: PAGE })
      this.#fold.prepend(events)
      this.#oldest = events[0]?.seq ?? this.#oldest
      return { hasOlder: events.length > 0 }
    })
  }

  /** Takes another page after the rows, where they end before now. */
  async loadNewer(): Promise<void> {
    if (this.#missed === 0) return
    await this.#fetch(async () => {
      const missed = this.#missed
      const events = await this.#source.page({ after: this.#newest, limit: PAGE })
      this.#append(events)
      if (events.length === 0) this.#join(missed)
      return {}
    })
  }

  /** A row with everything that its events say. */
  async whole(row: Row): Promise<Row> {
    const fold = new Fold(UNLIMITED)
    fold.append(await Promise.all(eventsOf(row).map((seq) => this.#source.event(seq))))
    return fold.rows.find(({ key }) => key === row.key) ?? row
  }

  /** The index of the row that shows an event; -1 when it is not here. */
  indexOf(seq: number): number {
    return seq < this.#oldest || seq > this.#newest ? -1 : this.#fold.indexOf(seq)
  }

  /** Whether a call can still get a result, as far as the rows know. */
  isRunning(call: Call): boolean {
    return this.#missed === 0 && this.#fold.isRunning(call)
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  readonly #follower: Follower = {
    began: (seq) => {
      if (seq > this.#newest) this.#missed += 1
      // It failed without a connection, most likely: now there is one.
      this.#snapshot = { ...this.#snapshot, problem: undefined }
      this.#publishSoon()
    },
    events: (events) => {
      if (this.#missed === 0) this.#append(events)
      else this.#missed += 1
      this.#publishSoon()
    },
  }

  /** The newest page, or one on each side of an event. */
  async #around(seq: number | undefined): Promise<readonly StoredEvent[]> {
    if (seq === undefined) return this.#source.page({ limit: PAGE })
    const older = await this.#source.page({ before: seq + 1, limit: PAGE })
    return [...older, ...(await this.#source.page({ after: seq, limit: PAGE }))]
  }

  /** The rows end where the agent is, unless something came since `missed` was read: that may be in no page yet. */
  #join(missed: number): void {
    if (this.#missed === missed) this.#missed = 0
  }

  #append(events: readonly StoredEvent[]): void {
    const news = events.filter(({ seq }) => seq > this.#newest)
    this.#fold.append(news)
    if (this.#oldest === 0) this.#oldest = news[0]?.seq ?? 0
    this.#newest = news.at(-1)?.seq ?? this.#newest
  }

  /** One at a time: whoever scrolls asks again and again. */
  async #fetch(work: () => Promise<Partial<TranscriptSnapshot>>): Promise<void> {
    this.#fetching ??= this.#try(work)
    await this.#fetching
  }

  async #try(work: () => Promise<Partial<TranscriptSnapshot>>): Promise<void> {
    const change = await work().catch((error: unknown) => ({ problem: errorText(error) }))
    // Before it is told: who hears it and asks for more is not to be taken for one who asked for this.
    this.#fetching = undefined
    this.#publish({ problem: undefined, ...change })
  }

  #publishSoon(): void {
    if (this.#isDeferred) return
    this.#isDeferred = true
    this.#defer(() => {
      this.#isDeferred = false
      this.#publish({})
    })
  }

  #publish(change: Partial<TranscriptSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change, rows: [...this.#fold.rows], hasNewer: this.#missed > 0 }
    for (const listener of this.#listeners) listener()
  }
}

const FRAME_MS = 16

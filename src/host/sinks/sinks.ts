import type { Database } from '../../kit/sqlite.ts'
import { errorText } from '../../wire/errors.ts'
import type { Sink } from '../../wire/sinks.ts'
import type { Intervals } from '../intervals.ts'
import type { Problem } from '../problems.ts'
import type { Notification } from './notification.ts'
import { nameOfSink, sendToSink } from './send-to-sink.ts'
import { SinkFeed, type SinkFeedOptions } from './sink-feed.ts'

export interface SinksOptions extends Omit<SinkFeedOptions, 'sink' | 'times'> {
  readonly sinks: readonly Sink[]
  readonly intervals: Intervals
}

const TEST: Notification = {
  title: 'hyperhive: a test',
  text: 'What waits for you is told here.',
  isUrgent: false,
  kinds: [],
  keys: [],
}

/** The sinks of the config file, each fed by itself. */
export class Sinks implements AsyncDisposable {
  readonly #options: SinksOptions
  readonly #feeds: readonly SinkFeed[]

  constructor(options: SinksOptions) {
    this.#options = options
    const { retryFirstMs, retryLongestMs, deadlineMs } = options.intervals
    const times = {
      // As `retryFirstMs` and `deadlineMs` are: 5 s and a minute.
      graceMs: retryFirstMs,
      burstMs: deadlineMs,
      forgetMs: deadlineMs,
      soonestMs: retryFirstMs / 5,
      latestMs: deadlineMs,
      retryFirstMs,
      retryLongestMs,
    }
    this.#feeds = options.sinks.map((sink) => new SinkFeed({ ...options, sink, times }))
  }

  /** Forgets what sinks were told that are no longer in the config file. */
  static async forgetOthers(db: Database, sinks: readonly Sink[]): Promise<void> {
    const known = JSON.stringify(sinks.map(({ kind, url }) => `${kind} ${url}`))
    const others = 'FROM notified WHERE sink NOT IN (SELECT value FROM json_each(?))'
    if (!db.get(`SELECT 1 ${others} LIMIT 1`, known)) return
    await db.write(() => db.run(`DELETE ${others}`, known), { essential: true })
  }

  errors(): Problem[] {
    return this.#feeds.flatMap((feed) => feed.errors())
  }

  /** Tells all of them something at once, and says what is wrong with each; null: it took it. */
  async test(signal: AbortSignal): Promise<{ sink: string; problem: string | null }[]> {
    const { sinks, secret } = this.#options
    return Promise.all(
      sinks.map(async (sink) => {
        const problem = await sendToSink(sink, TEST, { secret, signal }).then(() => null, errorText)
        return { sink: nameOfSink(sink), problem }
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#feeds.map((feed) => feed[Symbol.asyncDispose]()))
  }
}

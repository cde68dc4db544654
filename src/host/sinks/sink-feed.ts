import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../kit/clock.ts'
import type { Log } from '../../kit/log.ts'
import type { Database } from '../../kit/sqlite.ts'
import { errorText } from '../../wire/errors.ts'
import type { QuietHours, Sink } from '../../wire/sinks.ts'
import type { Need } from '../../wire/things.ts'
import type { Needs } from '../needs/needs.ts'
import { type Problem, Problems } from '../problems.ts'
import { type NotificationOptions, notificationOf } from './notification.ts'
import { planTelling, type TellingTimes } from './plan-telling.ts'
import { isQuietAt } from './quiet-hours.ts'
import { nameOfSink, type SendOptions, sendToSink } from './send-to-sink.ts'

export interface FeedTimes extends TellingTimes {
  /** What comes again sooner is the same as before. After a restart it takes agents a while to say what they need. */
  readonly forgetMs: number
  /** The list is looked at no more often than this, and no less often than that. */
  readonly soonestMs: number
  readonly latestMs: number
  /** After a failure, doubling. */
  readonly retryFirstMs: number
  readonly retryLongestMs: number
}

export interface SinkFeedOptions extends NotificationOptions {
  readonly sink: Sink
  readonly db: Database
  readonly needs: Pick<Needs, 'list' | 'changes'>
  readonly secret: SendOptions['secret']
  readonly quietHours?: QuietHours
  readonly times: FeedTimes
  readonly log: Log
  /** Steady, for intervals. */
  readonly now: Clock
  /** Unix ms, for the quiet hours. */
  readonly wallNow?: () => number
}

/**
 * Tells one sink of each thing that waits, once. What was told is written down after it was taken, so a daemon that is killed in
 * between tells it again. A sink that fails is shown, and tried again with what waits then; it holds up nothing else.
 */
export class SinkFeed implements AsyncDisposable {
  readonly #options: SinkFeedOptions
  readonly #id: string
  readonly #problems = new Problems()
  readonly #closing = new AbortController()
  readonly #seenAt = new Map<string, number>()
  readonly #told: Set<string>
  /** Of those that it was told of and that do not wait now: since when. */
  readonly #goneAt = new Map<string, number>()
  #toldAt: number[] = []
  #wasQuiet = false
  #failures = 0
  #retryAt = 0
  readonly #feeding: Promise<void>

  constructor(options: SinkFeedOptions) {
    this.#options = options
    const { sink, db } = options
    this.#id = `${sink.kind} ${sink.url}`
    this.#told = new Set(db.all('SELECT key FROM notified WHERE sink = ?', this.#id).map(({ key }) => String(key)))
    this.#feeding = this.#feed()
  }

  /** What is wrong with the sink now. */
  errors(): Problem[] {
    return this.#problems.list()
  }

  async #feed(): Promise<void> {
    const { signal } = this.#closing
    const { needs, times } = this.#options
    while (!signal.aborted) {
      using round = { ending: new AbortController(), [Symbol.dispose]: () => round.ending.abort() }
      // Before the look: what changes meanwhile counts.
      const changed = needs.changes.wait(times.latestMs, AbortSignal.any([signal, round.ending.signal]))
      const waitMs = await this.#lookAndTell()
      await pause(times.soonestMs, signal)
      await Promise.race([changed, pause(waitMs, AbortSignal.any([signal, round.ending.signal]))])
    }
  }

  /** Gives in how many ms, at the latest, there is something to do. Never rejects: a failure is shown, and tried again. */
  async #lookAndTell(): Promise<number> {
    const { now, times, log, sink } = this.#options
    if (this.#retryAt > now()) return this.#retryAt - now()
    try {
      const waitMs = await this.#tellOf(await this.#options.needs.list())
      this.#failures = 0
      this.#problems.clear(nameOfSink(sink))
      return waitMs
    } catch (error) {
      if (this.#closing.signal.aborted) return 0
      const waitMs = Math.min(times.retryFirstMs * 2 ** this.#failures, times.retryLongestMs)
      this.#failures += 1
      this.#retryAt = now() + waitMs
      this.#problems.note(nameOfSink(sink), error)
      log.warn({ sink: nameOfSink(sink), error: errorText(error) }, 'a sink could not be told')
      return waitMs
    }
  }

  async #tellOf(needs: readonly Need[]): Promise<number> {
    const { now, wallNow = Date.now, quietHours, times, urgent, sink, secret } = this.#options
    const { signal } = this.#closing
    await this.#forgetRetired(new Set(needs.map(({ key }) => key)))
    for (const { key } of needs) if (!this.#seenAt.has(key)) this.#seenAt.set(key, now())
    const untold = needs
      .filter(({ key }) => !this.#told.has(key))
      .map((need) => ({ need, seenAt: this.#seenAt.get(need.key) ?? now() }))
    this.#toldAt = this.#toldAt.filter((at) => at + times.burstMs > now())
    const isQuiet = isQuietAt(wallNow(), quietHours)
    const isMorning = this.#wasQuiet && !isQuiet
    const plan = planTelling({ untold, toldAt: this.#toldAt, now: now(), isQuiet, isMorning, urgent, times })
    for (const told of plan.notifications) {
      await sendToSink(sink, notificationOf(told, this.#options), { secret, signal })
      this.#toldAt.push(now())
      await this.#note(told.map(({ key }) => key))
    }
    this.#wasQuiet = isQuiet
    return plan.waitMs
  }

  /** In memory first: on a broken disk it is told twice by two daemons, not by one again and again. */
  async #note(keys: readonly string[]): Promise<void> {
    const { db, wallNow = Date.now } = this.#options
    for (const key of keys) this.#told.add(key)
    await db.write(
      () => {
        for (const key of keys) {
          db.run('INSERT INTO notified VALUES (?, ?, ?) ON CONFLICT DO NOTHING', this.#id, key, wallNow())
        }
      },
      { essential: true },
    )
  }

  /** What comes again later is told again. */
  async #forgetRetired(waiting: ReadonlySet<string>): Promise<void> {
    const { db, now, times } = this.#options
    for (const key of this.#seenAt.keys()) if (!waiting.has(key)) this.#seenAt.delete(key)
    for (const key of this.#told) {
      if (waiting.has(key)) this.#goneAt.delete(key)
      else if (!this.#goneAt.has(key)) this.#goneAt.set(key, now())
    }
    const retired = [...this.#goneAt].filter(([, at]) => at + times.forgetMs <= now()).map(([key]) => key)
    if (retired.length === 0) return
    await db.write(
      () => {
        for (const key of retired) db.run('DELETE FROM notified WHERE sink = ? AND key = ?', this.#id, key)
      },
      { essential: true },
    )
    for (const key of retired) {
      this.#told.delete(key)
      this.#goneAt.delete(key)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#feeding
  }
}

/** Longer than that is no longer a timer of Node. */
const LONGEST_MS = 2 ** 31 - 1

/** Ends sooner when `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, LONGEST_MS), undefined, { signal }).catch(() => {}) // It was ended.
}

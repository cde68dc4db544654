import { type Frame, parsePositions } from '../../wire/frames.ts'
import { afterFailure, type Connection } from './connection.ts'
import type { Follower, Stream } from './hive-stream.ts'
import type { FromWorker, ToWorker } from './stream-protocol.ts'

interface Followed {
  readonly follower: Follower
  /** What came and was not taken yet. */
  queue: Frame[]
  /** Grows with each load; what an older one gives is not used. */
  load: number
  /** Frames up to there were loaded; undefined while they are. */
  position: number | undefined
  isTaking: boolean
  /** Where this tab follows it by itself. */
  leaveOwn: (() => void) | undefined
}

export interface SharedStreamOptions {
  readonly port: Pick<MessagePort, 'postMessage' | 'onmessage' | 'close'>
  readonly onConnection: (connection: Connection) => void
  /** A stream of this tab's own, for what the shared one has no room for. */
  readonly openOwn: () => Stream
}

/** The stream of all tabs, as one of them follows it. */
export class SharedStream implements Stream {
  readonly #options: SharedStreamOptions
  readonly #followed = new Map<string, Followed>()
  #own: Stream | undefined
  #isGreeted = false
  #isClosed = false

  constructor(options: SharedStreamOptions) {
    this.#options = options
    options.port.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data)
  }

  /** Opens the stream of the worker: nothing is told before. `lock` is held for as long as this tab lives. */
  hello(token: string, lock: string | undefined): void {
    if (this.#isClosed) return
    this.#isGreeted = true
    this.#post({ do: 'hello', token, lock })
    for (const topic of this.#followed.keys()) this.#post({ do: 'follow', topic })
  }

  /** The worker cannot be had: this tab has a stream of its own from now on. */
  fallBack(): void {
    if (this.#isClosed) return
    this.#isGreeted = false
    for (const [topic, followed] of this.#followed) this.#followOwn(topic, followed)
  }

  follow(topic: string, follower: Follower): () => void {
    const followed: Followed = {
      follower,
      queue: [],
      load: 0,
      position: undefined,
      isTaking: false,
      leaveOwn: undefined,
    }
    this.#followed.set(topic, followed)
    if (this.#isGreeted) this.#post({ do: 'follow', topic })
    else if (this.#own) this.#followOwn(topic, followed)
    return () => {
      if (this.#followed.get(topic) !== followed) return
      this.#followed.delete(topic)
      if (followed.leaveOwn) followed.leaveOwn()
      else if (this.#isGreeted) this.#post({ do: 'leave', topic })
    }
  }

  retry(): void {
    this.#post({ do: 'retry' })
    this.#own?.retry()
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#followed.clear()
    this.#post({ do: 'bye' })
    this.#own?.[Symbol.dispose]()
    this.#options.port.close()
  }

  #post(message: ToWorker): void {
    this.#options.port.postMessage(message)
  }

  #hear(message: FromWorker): void {
    if (this.#isClosed) return
    if (message.tell === 'connection') {
      this.#options.onConnection(message.connection)
      return
    }
    const followed = this.#followed.get(message.topic)
    if (!followed || followed.leaveOwn) return
    if (message.tell === 'began') void this.#load(message.topic, followed)
    else if (message.tell === 'full') this.#followOwn(message.topic, followed)
    else {
      followed.queue.push(message.frame)
      void this.#take(message.topic, followed)
    }
  }

  #followOwn(topic: string, followed: Followed): void {
    this.#own ??= this.#options.openOwn()
    followed.leaveOwn ??= this.#own.follow(topic, followed.follower)
  }

  /** Fetches what is shown, again and again until that works, and takes what came meanwhile. */
  async #load(topic: string, followed: Followed): Promise<void> {
    followed.load += 1
    const { load, follower } = followed
    followed.position = undefined
    for (let failures = 1; this.#followed.get(topic) === followed && followed.load === load; failures += 1) {
      try {
        const position = await follower.load()
        if (followed.load !== load) return
        followed.position = position ?? 0
        return await this.#take(topic, followed)
      } catch (error) {
        if (this.#isClosed) return
        const now = Date.now()
        const connection = afterFailure(failures, error, now)
        if (connection.is !== 'waiting') return this.#options.onConnection(connection)
        await new Promise((resolve) => setTimeout(resolve, connection.until - now))
      }
    }
  }

  /** One frame after the other. What cannot be taken is fetched instead. */
  async #take(topic: string, followed: Followed): Promise<void> {
    if (followed.isTaking || followed.position === undefined) return
    followed.isTaking = true
    try {
      while (followed.position !== undefined && followed.queue.length > 0) {
        const [frame] = followed.queue.splice(0, 1)
        if (frame && (parsePositions(frame.id)[topic] ?? 0) > followed.position) await followed.follower.take(frame)
      }
    } catch {
      // Why is said by the load, if it fails too.
      followed.queue = []
      void this.#load(topic, followed)
    } finally {
      followed.isTaking = false
    }
  }
}

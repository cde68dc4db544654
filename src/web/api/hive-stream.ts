import { createFrameReader, type Frame, parsePositions, positionsText } from '../../wire/frames.ts'
import { HiveError } from '../../wire/hive-error.ts'
import type { Origin } from './call.ts'
import { afterFailure, type Connection, SILENCE_MS } from './connection.ts'

/** Who keeps one topic of the stream. */
export interface Follower {
  /** Fetches all that is shown, and says up to which position that is; undefined: what comes from now on is wanted. */
  readonly load: () => Promise<number | undefined>
  /** From now on everything comes. */
  readonly opened?: () => void
  /** Takes one frame; the next waits until it is done. */
  readonly take: (frame: Frame) => void | Promise<void>
}

/** Tells its followers of topics until it is disposed of. */
export interface Stream extends Disposable {
  /** Follows a topic, which nobody follows yet, until the returned function is called. */
  follow(topic: string, follower: Follower): () => void
  /** Tries now instead of later: the machine woke up, or somebody looks at the page again. */
  retry(): void
}

export interface HiveStreamOptions {
  readonly origin: Origin
  readonly onConnection: (connection: Connection) => void
  readonly silenceMs?: number
  readonly now?: () => number
  readonly random?: () => number
}

/**
 * The one stream of a page. It goes on after the last frame that was taken, whatever is cut, so that nothing is lost or
 * doubled; where that cannot be told any more, the follower loads again.
 */
export class HiveStream implements Stream {
  readonly #options: HiveStreamOptions
  readonly #followers = new Map<string, Follower>()
  /** Of topics that were loaded. */
  readonly #positions = new Map<string, number>()
  #attempt = new AbortController()
  #wake = () => {}
  #failures = 0
  #isClosed = false

  constructor(options: HiveStreamOptions) {
    this.#options = options
    void this.#run()
  }

  follow(topic: string, follower: Follower): () => void {
    if (this.#followers.has(topic)) throw new HiveError('conflict', `${topic} is followed already`)
    this.#followers.set(topic, follower)
    this.#restart()
    return () => {
      if (this.#followers.get(topic) !== follower) return
      this.#followers.delete(topic)
      this.#positions.delete(topic)
      this.#restart()
    }
  }

  retry(): void {
    this.#wake()
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#restart()
  }

  #restart(): void {
    this.#attempt.abort()
    this.#wake()
  }

  async #run(): Promise<void> {
    // Several topics are followed in one go when the page opens.
    await Promise.resolve()
    while (!this.#isClosed) {
      this.#attempt = new AbortController()
      const { signal } = this.#attempt
      if (this.#followers.size === 0) {
        await this.#waitFor(undefined)
        continue
      }
      try {
        await this.#readOnce(signal)
      } catch (error) {
        if (signal.aborted && signal.reason !== SILENT) continue
        await this.#fail(signal.aborted ? new Error('the stream is silent') : error)
      }
    }
  }

  async #fail(error: unknown): Promise<void> {
    const { onConnection, now = Date.now, random } = this.#options
    this.#failures += 1
    const connection = afterFailure(this.#failures, error, now(), random)
    onConnection(connection)
    await this.#waitFor(connection.is === 'waiting' ? connection.until - now() : undefined)
    if (!this.#isClosed) onConnection({ is: 'connecting', failures: this.#failures })
  }

  /** Until somebody calls `retry`, or for so long. */
  #waitFor(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** One connection, until it ends; always throws. */
  async #readOnce(signal: AbortSignal): Promise<never> {
    const { silenceMs = SILENCE_MS } = this.#options
    const followers = [...this.#followers]
    const unloaded = followers.filter(([topic]) => !this.#positions.has(topic))
    await Promise.all(unloaded.map(([topic, follower]) => this.#load(topic, follower, signal)))
    const { body, silence } = await this.#open(followers.map(([topic]) => topic).join(','), signal)
    const readFrames = createFrameReader()
    try {
      for await (const piece of body) {
        silence.begin(silenceMs)
        for (const frame of readFrames(piece)) await this.#take(frame, signal)
      }
    } finally {
      silence.end()
    }
    throw new Error('the stream was cut')
  }

  async #load(topic: string, follower: Follower, signal: AbortSignal): Promise<void> {
    const position = await follower.load()
    if (position !== undefined && this.#followers.get(topic) === follower) this.#positions.set(topic, position)
    signal.throwIfAborted()
  }

  async #open(topics: string, signal: AbortSignal) {
    const { origin, onConnection, silenceMs = SILENCE_MS } = this.#options
    const headers = {
      authorization: `Bearer ${origin.token}`,
      'last-event-id': positionsText(Object.fromEntries(this.#positions)),
    }
    const silence = createSilence(this.#attempt)
    silence.begin(Math.min(silenceMs, ANSWER_MS))
    try {
      const response = await origin.fetch(`/api/stream?topics=${topics}`, { headers, signal })
      if (!response.ok) throw await refusal(response)
      if (!response.body) throw new Error('the stream has no body')
      silence.begin(silenceMs)
      this.#failures = 0
      onConnection({ is: 'live' })
      return { body: readText(response.body), silence }
    } catch (error) {
      silence.end()
      throw error
    }
  }

  async #take(frame: Frame, signal: AbortSignal): Promise<void> {
    if (frame.event === 'resync') {
      const topic = String(JSON.parse(frame.data).topic)
      const follower = this.#followers.get(topic)
      // Until it was loaded, so that it is loaded again if that fails.
      this.#positions.delete(topic)
      if (follower) await this.#load(topic, follower, signal)
      if (follower && !this.#positions.has(topic)) this.#reach(frame, [topic])
      return
    }
    await this.#followers.get(frame.event)?.take(frame)
    signal.throwIfAborted()
    this.#reach(frame, [...this.#followers.keys()])
    if (frame.event === 'open') for (const { opened } of this.#followers.values()) opened?.()
  }

  /** So far some topics are known with this frame. */
  #reach({ id }: Frame, topics: readonly string[]): void {
    const positions = parsePositions(id)
    for (const topic of topics) {
      const position = positions[topic]
      if (position !== undefined) this.#positions.set(topic, position)
    }
  }
}

/** Why there is no stream. In a worker that does without schemas: of what the daemon says, only the status counts. */
const refusal = async (response: Response): Promise<HiveError> =>
  new HiveError(
    response.status === 401 ? 'forbidden' : 'unreachable',
    `the stream is refused: ${response.status} ${(await response.text()).slice(0, 200)}`,
  )

const SILENT = Symbol('silent')

/** A stream is there, or is not, after so long. */
const ANSWER_MS = 4_000

/** Aborts an attempt when nothing was heard for so long since it began last. */
function createSilence(attempt: AbortController) {
  let timer: ReturnType<typeof setTimeout> | undefined
  return {
    begin(ms: number) {
      clearTimeout(timer)
      timer = setTimeout(() => attempt.abort(SILENT), ms)
    },
    end: () => clearTimeout(timer),
  }
}

/** The text of a body, piece by piece: not every browser iterates over a stream. */
async function* readText(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    // Nothing waits for the end of what nobody reads any more.
    void reader.cancel().catch(() => {})
  }
}

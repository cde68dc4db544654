import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../kit/log.ts'
import { errorText } from '../wire/errors.ts'
import { type Problem, Problems } from './problems.ts'

export interface DiskWatchOptions {
  /** A directory on the disk that is watched. */
  readonly directory: string
  /** With less free space than that the disk counts as nearly full. */
  readonly lowBytes: number
  /** Between two looks; while space is short they are six times as frequent. */
  readonly everyMs: number
  /** Those that run, paused ones included: what a turn left behind may still write. */
  readonly agents: () => readonly string[]
  /** Bytes that an agent takes; undefined when that is not known in time. */
  readonly measure: (agent: string, signal: AbortSignal) => Promise<number | undefined>
  /** Keeps an agent from writing until the operator lets it: harder each time that it is called for the same one. */
  readonly restrain: (agent: string, reason: string) => Promise<void>
  /** That space is short, or no longer, is news. */
  readonly onChange: () => void
  readonly log: Log
  /** Bytes that the daemon could still write. */
  readonly free?: () => Promise<number>
  /** Unix ms. */
  readonly now?: () => number
}

/** Space is no longer short when there is so much more than the limit: at the edge it would come and go. */
const MARGIN = 1.1
const HASTE = 6
const MIB = 1024 * 1024
/** Less than that is no reason to restrain anybody. */
const LEAST_GROWTH = MIB

/**
 * Looks now and then how much of the disk is free. While that is too little the agent that grew most since the look before is
 * restrained; one at a time, and the next one only if somebody still grows. Nobody goes on by itself.
 */
export class DiskWatch implements AsyncDisposable {
  readonly #options: DiskWatchOptions
  readonly #problems = new Problems()
  readonly #closing = new AbortController()
  readonly #watching: Promise<void>
  #low: { since: number; free: number } | undefined
  #sizes = new Map<string, number>()
  #unmeasured: readonly string[] = []

  constructor(options: DiskWatchOptions) {
    this.#options = options
    this.#watching = this.#watch()
  }

  /** Since when (unix ms) space is short, and how short; null when it is not. */
  low(): { since: number; detail: string } | null {
    if (!this.#low) return null
    const { directory, lowBytes } = this.#options
    const left = `${mib(this.#low.free)} MiB are free for ${directory}, less than ${mib(lowBytes)}`
    const hidden = this.#unmeasured.length > 0 ? `; too large to be measured: ${this.#unmeasured.join(', ')}` : ''
    return { since: this.#low.since, detail: left + hidden }
  }

  /** What keeps the watch from watching, or from acting. */
  errors(): Problem[] {
    return this.#problems.list()
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing
    const { everyMs, log } = this.#options
    while (!signal.aborted) {
      try {
        await this.#look()
        this.#problems.clear('disk watch')
      } catch (error) {
        if (signal.aborted) return
        this.#problems.note('disk watch', error)
        log.error({ error: errorText(error) }, 'the disk cannot be watched')
      }
      await sleep(this.#low ? everyMs / HASTE : everyMs, undefined, { signal }).catch(() => {}) // It was ended.
    }
  }

  async #look(): Promise<void> {
    const { directory, lowBytes, free = () => freeBytes(directory), now = Date.now, onChange, log } = this.#options
    const bytes = await free()
    if (bytes >= lowBytes * (this.#low ? MARGIN : 1)) {
      if (!this.#low) return
      this.#low = undefined
      this.#sizes.clear()
      this.#unmeasured = []
      log.info({ free: bytes }, 'there is space on the disk again')
      onChange()
      return
    }
    const isNew = this.#low === undefined
    this.#low = { since: this.#low?.since ?? now(), free: bytes }
    if (isNew) {
      log.warn({ free: bytes, lowBytes }, 'the disk is nearly full')
      onChange()
    }
    await this.#restrainGrown()
  }

  async #restrainGrown(): Promise<void> {
    const { restrain, log } = this.#options
    const before = this.#sizes
    this.#sizes = await this.#measureAll()
    const grown = chooseGrown(before, this.#sizes)
    if (!grown) return
    const reason = `it grew by ${mib(grown.bytes)} MiB while the disk was nearly full`
    log.warn(
      { agent: grown.agent, bytes: grown.bytes },
      'the disk is nearly full: the agent that grew most is restrained',
    )
    await restrain(grown.agent, reason)
  }

  async #measureAll(): Promise<Map<string, number>> {
    const { agents, measure } = this.#options
    const sizes = new Map<string, number>()
    const unmeasured: string[] = []
    for (const agent of agents()) {
      const bytes = await measure(agent, this.#closing.signal)
      if (bytes === undefined) unmeasured.push(agent)
      else sizes.set(agent, bytes)
    }
    this.#unmeasured = unmeasured
    return sizes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#watching
  }
}

/** Who grew most from one measurement to the next; undefined when nobody grew by as much as matters. */
export function chooseGrown(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): { agent: string; bytes: number } | undefined {
  return [...after]
    .map(([agent, bytes]) => ({ agent, bytes: bytes - (before.get(agent) ?? bytes) }))
    .filter(({ bytes }) => bytes >= LEAST_GROWTH)
    .sort((one, other) => other.bytes - one.bytes)[0]
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

const mib = (bytes: number): number => Math.round(bytes / MIB)

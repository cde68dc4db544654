import type { Database } from '../../kit/sqlite.ts'
import { errorText } from '../../wire/errors.ts'
import { Paused } from '../../wire/supervision.ts'
import { forget, recall, remember } from '../remembered.ts'
import type { AgentRegistry } from './registry.ts'

export interface HoldsOptions {
  readonly db: Database
  readonly registry: Pick<AgentRegistry, 'find' | 'setPaused'>
  /** Unix milliseconds. */
  readonly now?: () => number
}

/** Holding agents back has to work when nothing else does. */
const ESSENTIAL = { essential: true }

/** Who is held back although it could work: agents that are paused, and in an emergency stop everybody. It outlasts the daemon. */
export class Holds {
  readonly #db: Database
  readonly #registry: HoldsOptions['registry']
  readonly #now: () => number
  #stopped: Paused | null

  constructor({ db, registry, now = Date.now }: HoldsOptions) {
    this.#db = db
    this.#registry = registry
    this.#now = now
    this.#stopped = readStopped(recall(db, 'stopped'))
  }

  /** The emergency stop, while it is on. */
  get stopped(): Paused | null {
    return this.#stopped
  }

  isHeld(agent: string): boolean {
    return this.#stopped !== null || (this.#registry.find(agent)?.paused ?? null) !== null
  }

  /** The first reason counts, and since when. Throws `not_found`. */
  async pause(agent: string, reason: string): Promise<void> {
    if (this.#registry.find(agent)?.paused) return
    await this.#registry.setPaused(agent, { since: this.#now(), reason })
  }

  /** Throws `not_found`. */
  async resume(agent: string): Promise<void> {
    await this.#registry.setPaused(agent, null)
  }

  /** Holds at once, and for the next daemons from when it resolves; may be repeated when it rejects. */
  async stopAll(reason: string): Promise<void> {
    this.#stopped ??= { since: this.#now(), reason }
    await remember(this.#db, 'stopped', JSON.stringify(this.#stopped), ESSENTIAL)
  }

  async resumeAll(): Promise<void> {
    await forget(this.#db, 'stopped', ESSENTIAL)
    this.#stopped = null
  }
}

/** What cannot be read is an emergency stop too: nobody knows why there was one. */
function readStopped(text: string | undefined): Paused | null {
  if (text === undefined) return null
  try {
    return Paused.parse(JSON.parse(text))
  } catch (error) {
    return { since: 0, reason: `what was stored of the emergency stop cannot be read: ${errorText(error)}` }
  }
}

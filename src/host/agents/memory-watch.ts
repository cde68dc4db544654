import { freemem } from 'node:os'
import type { Log } from '../../kit/log.ts'

/** What the watch sees of an agent. */
export interface Resting {
  readonly agent: string
  /** Whether its engine runs and has nothing to do. */
  readonly isIdle: boolean
  /** Steady clock, ms: since when. */
  readonly since: number
}

export interface MemoryWatchOptions {
  /** As much is to be available, in bytes. */
  readonly spare: number
  readonly agents: () => Resting[]
  /** Lets the engine of an agent end; its next message starts it again. */
  readonly rest: (agent: string) => void
  readonly log: Log
  /** Bytes that can be had without swapping. */
  readonly available?: () => number
  readonly everyMs?: number
}

const EVERY_MS = 5_000

/** While memory is short, idle engines end, the longest idle first; one at a time, since what that frees is seen at the next look. */
export function startMemoryWatch({
  spare,
  agents,
  rest,
  log,
  available = freemem,
  everyMs = EVERY_MS,
}: MemoryWatchOptions): Disposable {
  const look = () => {
    const bytes = available()
    if (bytes >= spare) return
    const agent = chooseLongestIdle(agents())
    if (agent === undefined) return
    log.info({ agent, available: bytes, spare }, 'memory is short: the engine of an idle agent ends')
    rest(agent)
  }
  const timer = setInterval(look, everyMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

export const chooseLongestIdle = (agents: readonly Resting[]): string | undefined =>
  agents.filter(({ isIdle }) => isIdle).sort((one, other) => one.since - other.since)[0]?.agent

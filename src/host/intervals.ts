const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** How long the daemon waits for what, in milliseconds. What the operator can set stands in the settings instead. */
export interface Intervals {
  /** Between two looks at containers. */
  readonly lookMs: number
  /** How long a turn may go on after its agent was told to stop. */
  readonly stopGraceMs: number
  /** Before a container that ended unasked is started again: doubling from the first to the longest. */
  readonly restartFirstMs: number
  readonly restartLongestMs: number
  /** Five ends within it are a crash loop; as long without one, and the episode is over. */
  readonly crashWindowMs: number
  /** Before an inbox goes on after the API was not to be had: doubling, with jitter. */
  readonly retryFirstMs: number
  readonly retryLongestMs: number
  /** A quota whose reset time is not known. */
  readonly quotaUnknownMs: number
  /** What the engine says of a quota is believed from here on: a reset time that has passed must not make a loop. */
  readonly quotaShortestMs: number
  /** Agents whose quota frees up at the same moment go on within this time of it. */
  readonly quotaSpreadMs: number
  /** Between two sweeps over what is kept for a while only. */
  readonly sweepMs: number
  /** Deadlines of the world's clock are looked at at least so often: it may have been set, and the machine may have slept. */
  readonly deadlineMs: number
}

/** `speedup`: all of them are divided by it, so that a trial sees a day in minutes. */
export function createIntervals(speedup = 1): Intervals {
  const intervals: Intervals = {
    lookMs: 10 * SECOND,
    stopGraceMs: 30 * SECOND,
    restartFirstMs: SECOND,
    restartLongestMs: MINUTE,
    crashWindowMs: 10 * MINUTE,
    retryFirstMs: 5 * SECOND,
    retryLongestMs: 5 * MINUTE,
    quotaUnknownMs: 5 * MINUTE,
    quotaShortestMs: 5 * SECOND,
    quotaSpreadMs: MINUTE,
    sweepMs: HOUR,
    deadlineMs: MINUTE,
  }
  return Object.fromEntries(Object.entries(intervals).map(([name, ms]) => [name, ms / speedup])) as unknown as Intervals
}

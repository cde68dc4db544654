/** Milliseconds that look like unix time and never step: wall time at the start plus the monotonic time since. */
export type Clock = () => number

/** All intervals (backoff, parking, rates) are measured on one of these; `Date.now` is for display and retention. */
export function createSteadyClock(): Clock {
  const offset = Date.now() - performance.now()
  return () => offset + performance.now()
}

import type { Intervals } from '../intervals.ts'

/** So many ends within `crashWindowMs` are a crash loop. */
const MOST_ENDS = 5

export type Restart = { readonly after: number } | 'give_up'

/**
 * Decides what follows from the end of a container that nobody asked for.
 * `ends`: when it ended, this time included, oldest first (ms of the steady clock).
 */
export function decideRestart(
  ends: readonly number[],
  now: number,
  {
    crashWindowMs,
    restartFirstMs,
    restartLongestMs,
  }: Pick<Intervals, 'crashWindowMs' | 'restartFirstMs' | 'restartLongestMs'>,
): Restart {
  const recent = ends.filter((at) => now - at < crashWindowMs).length
  if (recent >= MOST_ENDS) return 'give_up'
  return { after: Math.min(restartLongestMs, restartFirstMs * 2 ** Math.max(0, recent - 1)) }
}

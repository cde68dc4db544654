/** How fast a container that ends unasked is started again. */
const BACKOFF_MS = { first: 1_000, longest: 60_000 }
/** So many ends within `windowMs` are a crash loop. */
const CRASH_LOOP = { ends: 5, windowMs: 600_000 }

export type Restart = { readonly after: number } | 'give_up'

/**
 * Decides what follows from the end of a container that nobody asked for.
 * `ends`: when it ended, this time included, oldest first (ms of the steady clock).
 */
export function decideRestart(ends: readonly number[], now: number): Restart {
  const recent = ends.filter((at) => now - at < CRASH_LOOP.windowMs).length
  if (recent >= CRASH_LOOP.ends) return 'give_up'
  return { after: Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** Math.max(0, recent - 1)) }
}

import type { Clock } from './clock.ts'

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

const FORGET_AT = 10_000

/** Counts how fast things come, by key. `take` is false when a key has used up its share. Full buckets are forgotten. */
export function createTokenBuckets({ perSecond, burst }: Rate, now: Clock): { take(key: string): boolean } {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const refilled = ({ tokens, at }: { tokens: number; at: number }) =>
    Math.min(burst, tokens + ((now() - at) / 1000) * perSecond)
  let forgetAt = FORGET_AT
  const forget = () => {
    for (const [key, bucket] of buckets) if (refilled(bucket) >= burst) buckets.delete(key)
    // Not again for each new key when nothing could be forgotten.
    forgetAt = Math.max(FORGET_AT, 2 * buckets.size)
  }
  return {
    take(key) {
      const bucket = buckets.get(key)
      const tokens = bucket ? refilled(bucket) : burst
      if (!bucket && buckets.size >= forgetAt) forget()
      if (tokens < 1) return false
      buckets.set(key, { tokens: tokens - 1, at: now() })
      return true
    },
  }
}

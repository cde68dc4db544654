import type { Clock } from './clock.ts'

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Counts how fast things come, by key. `take` is false when a key has used up its share. Full buckets are forgotten. */
export function createTokenBuckets({ perSecond, burst }: Rate, now: Clock): { take(key: string): boolean } {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const refilled = ({ tokens, at }: { tokens: number; at: number }) =>
    Math.min(burst, tokens + ((now() - at) / 1000) * perSecond)
  const forget = () => {
    for (const [key, bucket] of buckets) if (refilled(bucket) >= burst) buckets.delete(key)
  }
  return {
    take(key) {
      const bucket = buckets.get(key)
      const tokens = bucket ? refilled(bucket) : burst
      if (!bucket && buckets.size >= 10_000) forget()
      if (tokens < 1) return false
      if (bucket) Object.assign(bucket, { tokens: tokens - 1, at: now() })
      else buckets.set(key, { tokens: tokens - 1, at: now() })
      return true
    },
  }
}

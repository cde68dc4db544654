import type { Account } from './engine.ts'

/**
 * Which login the engine has, in a word; undefined: none. It knows of its own only: whether the API accepts it, a turn tells.
 */
export function nameLogin({ apiKeySource, tokenSource, subscriptionType }: Account): string | undefined {
  if (apiKeySource) return apiKeySource
  // A login of claude.ai or of a cloud names no source at all; `none` is said.
  if (tokenSource === 'none') return undefined
  return tokenSource ?? subscriptionType ?? 'a login'
}

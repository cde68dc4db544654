import { type Spent, tokensOf } from '../../wire/money.ts'
import type { DayNote } from './day-notes.ts'

/** An engine that starts looks after its login and its model: a few requests a day need no turn. */
const UNREMARKABLE = 20
/** The shortest prompt of an engine, its system prompt and tools, has more. */
const LEAST_TOKENS = 500

/** What an agent claims to have used, against what the gateway saw it ask: in words what does not fit; null when all does. */
export function findDoubt(
  spent: Spent,
  { requests, unexplained }: Pick<DayNote, 'requests' | 'unexplained'>,
): string | null {
  if (unexplained > UNREMARKABLE) return `${unexplained} requests to its model while it had no turn`
  const tokens = tokensOf(spent)
  if (requests > UNREMARKABLE && tokens < requests * LEAST_TOKENS) {
    return `${requests} requests to its model, and only ${tokens} tokens: most of them failed, or it does not tell of all`
  }
  return null
}

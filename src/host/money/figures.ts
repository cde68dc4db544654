import { NOTHING_SPENT, type Spent } from '../../wire/money.ts'
import type { TurnUsage } from '../../wire/turn.ts'

/** No turn has more; an agent that says so must not spoil the sums for good. */
const MOST = { tokens: 1e9, dollars: 1e4, durationMs: 31 * 24 * 3_600_000 }
const LONGEST_MODEL = 100

/** What one turn adds: its engine's figures within what can be, nothing where there are none. */
export function figuresOf(usage: TurnUsage | undefined): Spent & { model: string } {
  const tokens = (n: number) => Math.round(within(n, MOST.tokens))
  if (!usage) return { ...NOTHING_SPENT, turns: 1, model: 'unknown' }
  return {
    turns: 1,
    // It is printed and exported as it is.
    model: usage.model.slice(0, LONGEST_MODEL).replaceAll(/[^\w.:@/+[\]-]/g, '?') || 'unknown',
    inputTokens: tokens(usage.inputTokens),
    outputTokens: tokens(usage.outputTokens),
    cacheReadTokens: tokens(usage.cacheReadTokens),
    cacheWriteTokens: tokens(usage.cacheWriteTokens),
    dollars: within(usage.costUsd, MOST.dollars),
    durationMs: Math.round(within(usage.durationMs, MOST.durationMs)),
  }
}

/** Tokens in the context after a turn, as its engine said, within what can be; 0 where it did not. */
export const contextOf = (usage: TurnUsage | undefined): number =>
  Math.round(within(usage?.contextTokens ?? 0, MOST.tokens))

const within = (n: number, most: number): number => (Number.isNaN(n) ? 0 : Math.min(most, Math.max(0, n)))

import type { TurnUsage } from '../../wire/turn.ts'

/** What two stretches of work used together; model and context are those of the later one, where it has any. */
export function sumUsage(first: TurnUsage | undefined, second: TurnUsage | undefined): TurnUsage | undefined {
  if (!first || !second) return second ?? first
  const later = second.contextTokens > 0 ? second : first
  return {
    model: later.model,
    inputTokens: first.inputTokens + second.inputTokens,
    outputTokens: first.outputTokens + second.outputTokens,
    cacheReadTokens: first.cacheReadTokens + second.cacheReadTokens,
    cacheWriteTokens: first.cacheWriteTokens + second.cacheWriteTokens,
    costUsd: first.costUsd + second.costUsd,
    durationMs: first.durationMs + second.durationMs,
    contextTokens: later.contextTokens,
    contextWindow: later.contextWindow,
  }
}

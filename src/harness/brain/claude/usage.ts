import type { TurnUsage } from '../../../wire/turn.ts'
import type { Result, TurnFacts } from './turn-facts.ts'

/**
 * The engine's figures for one turn. Its tokens are those of the turn, its cost is the conversation's so far: `costBefore`, in dollars,
 * is what that was when the turn began; without it the cost of the turn is not known and given as 0.
 */
export function measureTurn(
  { model, contextTokens = 0 }: TurnFacts,
  { usage, modelUsage, total_cost_usd: cost, duration_ms: durationMs }: Result,
  costBefore: number | undefined,
): TurnUsage {
  const window = model === undefined ? undefined : modelUsage[model]?.contextWindow
  const onlyWindow = Object.values(modelUsage).length === 1 ? Object.values(modelUsage)[0]?.contextWindow : undefined
  return {
    model: model ?? 'unknown',
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
    costUsd: Math.max(0, cost - (costBefore ?? cost)),
    durationMs,
    contextTokens,
    contextWindow: window ?? onlyWindow ?? 0,
  }
}

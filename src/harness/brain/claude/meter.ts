import { z } from 'zod'
import type { TurnUsage } from '../../../wire/turn.ts'
import { ModelUsage, type Result, type TurnFacts } from './turn-facts.ts'

/** What a conversation has used so far, as its engine counts: in all of its processes that ended well, helpers and compactions included. */
export interface Reading {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly costUsd: number
}

export const ZERO: Reading = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costUsd: 0 }

const Usage = z.looseObject({ session: z.looseObject({ total_cost_usd: z.number(), model_usage: ModelUsage }) })

/** Of the engine's answer to `get_usage`. Throws when it cannot be read. */
export function readUsage(answer: unknown): Reading {
  const { total_cost_usd: cost, model_usage: models } = Usage.parse(answer).session
  return readModels(models, cost)
}

/** Of the end of a turn: the figures there are those of the conversation, but for `usage`. */
export const readResult = ({ modelUsage, total_cost_usd: cost }: Result): Reading => readModels(modelUsage, cost)

function readModels(models: z.infer<typeof ModelUsage>, costUsd: number): Reading {
  const sum = (of: (model: z.infer<typeof ModelUsage>[string]) => number) =>
    Object.values(models).reduce((total, model) => total + of(model), 0)
  return {
    inputTokens: sum((model) => model.inputTokens),
    outputTokens: sum((model) => model.outputTokens),
    cacheReadTokens: sum((model) => model.cacheReadInputTokens),
    cacheWriteTokens: sum((model) => model.cacheCreationInputTokens),
    costUsd,
  }
}

interface Metered {
  readonly facts: TurnFacts
  /** `performance.now()` when it began. */
  readonly beganAt: number
  /** The meter now, or when it was read last. */
  readonly reading?: Reading
}

/**
 * The engine's figures for one turn: how far its meter has gone since `before`. When that could not be learnt, tokens are those that the
 * result gives for the turn, and dollars 0. Undefined while nothing is known.
 */
export function measureTurn({ facts, beganAt, reading }: Metered, before: Reading | undefined): TurnUsage | undefined {
  const { model, contextTokens = 0, result } = facts
  const used = reading && before ? difference(reading, before) : result && usageOf(result)
  if (!used) return undefined
  const models = Object.entries(result?.modelUsage ?? {})
  const only = models.length === 1 ? models[0] : undefined
  return {
    model: model ?? only?.[0] ?? 'unknown',
    ...used,
    durationMs: result?.duration_ms ?? Math.round(performance.now() - beganAt),
    contextTokens,
    contextWindow: (model && result?.modelUsage[model]?.contextWindow) || only?.[1].contextWindow || 0,
  }
}

/** A meter that stands lower than before was begun anew: what it shows is all since then. */
function difference(now: Reading, before: Reading): Reading {
  const keys = Object.keys(ZERO) as (keyof Reading)[]
  if (keys.some((key) => now[key] < before[key])) return now
  return {
    inputTokens: now.inputTokens - before.inputTokens,
    outputTokens: now.outputTokens - before.outputTokens,
    cacheReadTokens: now.cacheReadTokens - before.cacheReadTokens,
    cacheWriteTokens: now.cacheWriteTokens - before.cacheWriteTokens,
    costUsd: now.costUsd - before.costUsd,
  }
}

const usageOf = ({ usage }: Result): Reading => ({
  inputTokens: usage.input_tokens,
  outputTokens: usage.output_tokens,
  cacheReadTokens: usage.cache_read_input_tokens ?? 0,
  cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
  costUsd: 0,
})

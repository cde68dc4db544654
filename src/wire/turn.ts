import { z } from 'zod'

/** Why a turn ended. What follows from each is decided by the broker (`host/broker/outcome.ts`). */
export const TurnReason = z.enum([
  'ok',
  'interrupted',
  'auth',
  'quota',
  'overloaded',
  'network',
  'billing',
  'prompt_too_long',
  'refused',
  'crash',
  'hang',
  'error',
])
export type TurnReason = z.infer<typeof TurnReason>

/** The engine's own figures for one turn: the agent's claim. */
export const TurnUsage = z.object({
  model: z.string().max(200),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
  costUsd: z.number(),
  durationMs: z.number(),
  /** Tokens in the context after the turn, and how many fit. */
  contextTokens: z.number(),
  contextWindow: z.number(),
})
export type TurnUsage = z.infer<typeof TurnUsage>

/** Longest `detail`, in characters; what is longer is cut. */
const MAX_DETAIL = 500

export const TurnEnd = z.object({
  reason: TurnReason,
  /** One line for people. */
  detail: z.string().overwrite((text) => text.slice(0, MAX_DETAIL)),
  /** Unix milliseconds: when a quota frees up. */
  resetsAt: z.number().optional(),
  usage: TurnUsage.optional(),
})
export type TurnEnd = z.infer<typeof TurnEnd>

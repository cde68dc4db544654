import { z } from 'zod'
import { AgentName } from './names.ts'
import type { Ops } from './op.ts'
import { Undecodable } from './undecodable.ts'

/** Most that may be spent in a day, which begins at midnight of the host; what is absent is not limited. */
export const Budget = z.strictObject({
  turns: z.number().int().min(0).optional(),
  /** Input, output and both kinds of cached input together. */
  tokens: z.number().int().min(0).optional(),
  dollars: z.number().min(0).optional(),
})
export type Budget = z.infer<typeof Budget>

/** The figures of one or more turns: tokens and dollars as the engine counted them, which is the agent's claim. */
export const Spent = z.object({
  turns: z.number().int(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
  dollars: z.number(),
  durationMs: z.number(),
})
export type Spent = z.infer<typeof Spent>

export const NOTHING_SPENT: Spent = {
  turns: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  dollars: 0,
  durationMs: 0,
}

/** Both together. */
export const addSpent = (one: Spent, other: Spent): Spent => ({
  turns: one.turns + other.turns,
  inputTokens: one.inputTokens + other.inputTokens,
  outputTokens: one.outputTokens + other.outputTokens,
  cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
  cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
  dollars: one.dollars + other.dollars,
  durationMs: one.durationMs + other.durationMs,
})

/** Tokens of all four kinds: what a budget counts. */
export const tokensOf = ({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Spent): number =>
  inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens

/** From this share of a budget on the operator is warned. */
export const BUDGET_WARN_AT = 0.8

/** What an agent has spent today, and what it may. */
export const Account = z.object({
  spent: Spent,
  budget: Budget,
  /** Share of the limit that is closest, 0 to 1 and more; null without a limit. */
  used: z.number().nullable(),
  /** The operator let it go on for the rest of the day. */
  isOverridden: z.boolean(),
  /** Requests to the model that the gateway saw today: what the claim is checked against. */
  requests: z.number().int(),
  /** What does not fit together between the two, in words; null when all does. */
  doubt: z.string().nullable(),
})
export type Account = z.infer<typeof Account>

export const UsageRow = Spent.extend({
  /** `2026-11-26`, of the host's time zone. */
  day: z.string(),
  agent: z.string(),
  model: z.string(),
})
export type UsageRow = z.infer<typeof UsageRow>

export const TurnRow = Spent.omit({ turns: true }).extend({
  agent: z.string(),
  at: z.number(),
  model: z.string(),
  reason: z.string(),
  /** The message that woke it. */
  message: z.number().int(),
  /** In the context after it; 0: nobody knows. */
  contextTokens: z.number(),
})
export type TurnRow = z.infer<typeof TurnRow>

export const hostMoneyOps = {
  usage: {
    about: 'Turns, tokens and dollars by day, agent and model, newest day last.',
    input: z.strictObject({
      agent: AgentName.optional(),
      /** Today and the days before. */
      days: z.number().int().min(1).max(3660).default(7),
    }),
    output: z.object({
      rows: z.array(UsageRow),
      today: z.object({ hive: Account, agents: z.record(z.string(), Account) }),
      errors: z.array(Undecodable),
    }),
  },
  turns: {
    about: 'The newest turns of an agent with their figures, newest last.',
    input: z.strictObject({ agent: AgentName, limit: z.number().int().min(1).max(1000).default(50) }),
    output: z.object({ turns: z.array(TurnRow), errors: z.array(Undecodable) }),
  },
  metrics: {
    about: 'The state of the hive as Prometheus text.',
    input: z.strictObject({}),
    output: z.object({ text: z.string() }),
  },
} satisfies Ops

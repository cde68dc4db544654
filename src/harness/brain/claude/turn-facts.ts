import { z } from 'zod'
import { errorText } from '../../../wire/errors.ts'
import type { StreamMessage } from './claude-process.ts'

const ApiUsage = z.looseObject({
  input_tokens: z.number().default(0),
  output_tokens: z.number().default(0),
  cache_read_input_tokens: z.number().nullish(),
  cache_creation_input_tokens: z.number().nullish(),
})

/** By model, for the conversation so far. */
export const ModelUsage = z.record(
  z.string(),
  z.looseObject({
    inputTokens: z.number().default(0),
    outputTokens: z.number().default(0),
    cacheReadInputTokens: z.number().default(0),
    cacheCreationInputTokens: z.number().default(0),
    contextWindow: z.number().optional(),
  }),
)

export const Result = z.looseObject({
  is_error: z.boolean(),
  subtype: z.string(),
  api_error_status: z.number().nullish(),
  terminal_reason: z.string().nullish(),
  result: z.string().optional(),
  errors: z.array(z.string()).optional(),
  duration_ms: z.number(),
  total_cost_usd: z.number(),
  usage: ApiUsage,
  modelUsage: ModelUsage.default({}),
})
export type Result = z.infer<typeof Result>

const Assistant = z.looseObject({
  error: z.string().nullish(),
  parent_tool_use_id: z.string().nullish(),
  message: z.looseObject({ model: z.string(), usage: ApiUsage }),
})
const RateLimit = z.looseObject({
  rate_limit_info: z.looseObject({ status: z.string(), resetsAt: z.number().optional() }),
})
const Lifecycle = z.looseObject({ state: z.string() })
const Retry = z.looseObject({ error: z.string() })

/** Why we stopped a turn: the operator or a stop of the agent, no sign for too long, a login that was refused. */
export type StopCause = 'interrupted' | 'hang' | 'auth'

/** What a turn's messages said that decides how it ended. Gathered by `observe`, read by `decideTurnEnd`. */
export interface TurnFacts {
  /** The engine has taken the message up. */
  begun?: boolean
  result?: Result
  /** `error` of the last message that the engine made up itself. */
  error?: string
  /** A quota is used up; unix milliseconds. */
  quota?: { resetsAt?: number }
  /** The engine tries a refused login again, and would for minutes. */
  authRefused?: boolean
  compaction?: 'success' | { error: string }
  /** Of the agent itself, not of a helper of the engine's. */
  model?: string
  contextTokens?: number
  /** The message was taken back before its turn began: there will be no result. */
  withdrawn?: boolean
  /** A message that matters had a shape we do not know. */
  unreadable?: string
  /** We stopped it; the first cause counts. */
  stopped?: StopCause
}

/** Takes note of one message. */
export function observe(facts: TurnFacts, message: StreamMessage): void {
  facts.begun = true
  try {
    note(facts, message)
  } catch (error) {
    facts.unreadable = `${[message.type, message.subtype].filter(Boolean).join('/')}: ${errorText(error)}`
  }
}

function note(facts: TurnFacts, message: StreamMessage): void {
  switch (message.type) {
    case 'result':
      facts.result = Result.parse(message)
      break
    case 'assistant':
      noteAssistant(facts, message)
      break
    case 'rate_limit_event': {
      const { status, resetsAt } = RateLimit.parse(message).rate_limit_info
      if (status === 'rejected') facts.quota = { resetsAt: resetsAt === undefined ? undefined : resetsAt * 1000 }
      break
    }
    case 'command_lifecycle':
      if (Lifecycle.parse(message).state === 'cancelled') facts.withdrawn = true
      break
    case 'system':
      noteSystem(facts, message)
      break
  }
}

function noteAssistant(facts: TurnFacts, message: StreamMessage): void {
  const { error, parent_tool_use_id: parent, message: inner } = Assistant.parse(message)
  if (error) facts.error = error
  if (parent || inner.model === '<synthetic>') return
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens } = inner.usage
  facts.model = inner.model
  facts.contextTokens = input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0)
}

function noteSystem(facts: TurnFacts, message: StreamMessage): void {
  if (message.subtype === 'api_retry' && Retry.parse(message).error === 'authentication_failed') {
    facts.authRefused = true
  }
  if (message.subtype !== 'status') return
  if (message.compact_result === 'success') facts.compaction = 'success'
  if (message.compact_result === 'failed') facts.compaction = { error: String(message.compact_error ?? 'failed') }
}

/** Whether the engine has said all that it will say of the turn, once it is idle. */
export const hasEnded = (facts: TurnFacts): boolean =>
  facts.result !== undefined || facts.withdrawn === true || facts.unreadable !== undefined

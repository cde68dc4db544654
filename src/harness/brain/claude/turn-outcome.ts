import { z } from 'zod'
import type { TurnEnd, TurnUsage } from '../../../wire/turn.ts'
import type { ProcessExit, StreamMessage } from './claude-process.ts'

const ApiUsage = z.looseObject({
  input_tokens: z.number().default(0),
  output_tokens: z.number().default(0),
  cache_read_input_tokens: z.number().nullish(),
  cache_creation_input_tokens: z.number().nullish(),
})

const Result = z.looseObject({
  is_error: z.boolean(),
  subtype: z.string(),
  api_error_status: z.number().nullish(),
  terminal_reason: z.string().nullish(),
  result: z.string().optional(),
  errors: z.array(z.string()).optional(),
  duration_ms: z.number().default(0),
  total_cost_usd: z.number().default(0),
  usage: ApiUsage.optional(),
  modelUsage: z.record(z.string(), z.looseObject({ contextWindow: z.number().optional() })).optional(),
})
type Result = z.infer<typeof Result>

const Assistant = z.looseObject({
  error: z.string().nullish(),
  parent_tool_use_id: z.string().nullish(),
  message: z.looseObject({ model: z.string().optional(), usage: ApiUsage.optional() }),
})
const RateLimit = z.looseObject({
  rate_limit_info: z.looseObject({ status: z.string(), resetsAt: z.number().optional() }),
})

/** What a turn's messages said that decides how it ended. Made by `observe`, read by `decideTurnEnd`. */
export interface TurnFacts {
  result?: Result
  /** `error` of the last message that the engine made up itself. */
  error?: string
  /** Unix seconds; set when a quota is used up. */
  quotaResetsAt?: number
  quotaRejected?: boolean
  refused?: boolean
  compactError?: string
  model?: string
  contextTokens?: number
  /** We asked it to stop. */
  interrupted?: boolean
  /** We gave up on it: no sign for too long. */
  hung?: boolean
  /** The API refused the login; the engine would go on trying for minutes. */
  authRefused?: boolean
}

/** Takes note of one message. */
export function observe(facts: TurnFacts, message: StreamMessage): void {
  if (message.type === 'result') facts.result = Result.parse(message)
  if (message.type === 'rate_limit_event') {
    const { rate_limit_info: info } = RateLimit.parse(message)
    if (info.status !== 'rejected') return
    facts.quotaRejected = true
    facts.quotaResetsAt = info.resetsAt
  }
  if (message.type === 'system' && message.subtype === 'api_retry' && message.error === 'authentication_failed')
    facts.authRefused = true
  if (message.type === 'system' && message.subtype === 'model_refusal_no_fallback') facts.refused = true
  if (message.type === 'system' && message.subtype === 'status' && message.compact_result === 'failed') {
    facts.compactError = String(message.compact_error ?? 'failed')
  }
  if (message.type !== 'assistant') return
  const { error, parent_tool_use_id, message: inner } = Assistant.parse(message)
  if (error) facts.error = error
  // Without a parent: the agent itself, not a helper of the engine's.
  if (parent_tool_use_id || inner.model === '<synthetic>' || !inner.usage) return
  facts.model = inner.model
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens } = inner.usage
  facts.contextTokens = input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0)
}

/** How a turn ended. `exit` when the engine's process is gone; `costBefore`: what the process had cost when it began. */
export function decideTurnEnd(facts: TurnFacts, exit: ProcessExit | undefined, costBefore: number): TurnEnd {
  const { result } = facts
  if (facts.hung) return { reason: 'hang', detail: 'the engine gave no sign for too long' }
  if (facts.authRefused) return { reason: 'auth', detail: 'the API refused the login' }
  if (!result) {
    if (facts.interrupted) return { reason: 'interrupted', detail: 'interrupted' }
    return { reason: 'crash', detail: describeExit(exit) }
  }
  const usage = usageOf(facts, result, costBefore)
  const detail = (result.result || result.errors?.join('; ') || result.subtype).slice(0, 500)
  if (facts.interrupted && (result.is_error || result.terminal_reason?.startsWith('aborted'))) {
    return { reason: 'interrupted', detail: 'interrupted', usage }
  }
  if (facts.refused) return { reason: 'refused', detail: detail || 'the model refused', usage }
  if (!result.is_error) return { reason: 'ok', detail, usage }
  const resetsAt = facts.quotaResetsAt === undefined ? undefined : facts.quotaResetsAt * 1000
  return { reason: reasonOf(facts, result), detail, usage, ...(facts.quotaRejected && { resetsAt }) }
}

function reasonOf(
  { error, quotaRejected }: TurnFacts,
  { terminal_reason, api_error_status: status }: Result,
): TurnEnd['reason'] {
  if (terminal_reason === 'prompt_too_long') return 'prompt_too_long'
  switch (error) {
    case 'authentication_failed':
      return 'auth'
    case 'billing_error':
      return 'billing'
    case 'rate_limit':
      return quotaRejected ? 'quota' : 'overloaded'
    case 'server_error':
    case 'unknown':
    case 'overloaded':
      // Without a status nobody answered.
      return typeof status === 'number' ? reasonOfStatus(status) : 'network'
    case 'invalid_request':
    case 'model_not_found':
      return 'refused'
  }
  return typeof status === 'number' ? reasonOfStatus(status) : 'error'
}

/** A bad request stays bad; what the server could not do now it may do later. */
const reasonOfStatus = (status: number): TurnEnd['reason'] =>
  status >= 500 || status === 408 || status === 429 ? 'overloaded' : 'refused'

function usageOf({ model, contextTokens = 0 }: TurnFacts, result: Result, costBefore: number): TurnUsage {
  const { usage, modelUsage = {} } = result
  const windows = Object.entries(modelUsage).flatMap(([name, { contextWindow }]) =>
    contextWindow && (name === model || Object.keys(modelUsage).length === 1) ? [contextWindow] : [],
  )
  return {
    model: model ?? 'unknown',
    inputTokens: usage?.input_tokens ?? 0,
    outputTokens: usage?.output_tokens ?? 0,
    cacheReadTokens: usage?.cache_read_input_tokens ?? 0,
    cacheWriteTokens: usage?.cache_creation_input_tokens ?? 0,
    // Cumulative for the process.
    costUsd: Math.max(0, result.total_cost_usd - costBefore),
    durationMs: result.duration_ms,
    contextTokens,
    contextWindow: windows[0] ?? 0,
  }
}

function describeExit(exit: ProcessExit | undefined): string {
  if (!exit) return 'the engine is gone'
  const how = exit.signal ? `killed by ${exit.signal}` : `exit code ${exit.code}`
  return `the engine ended: ${how}${exit.complaint ? `: ${exit.complaint.slice(-400)}` : ''}`
}

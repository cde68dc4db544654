import type { MessagesRequest } from './messages-request.ts'

/** Token counts as the API reports them. */
export interface Usage {
  readonly input_tokens: number
  readonly cache_creation_input_tokens: number
  readonly cache_read_input_tokens: number
  readonly output_tokens: number
  readonly service_tier: 'standard'
}

/** About four characters to a token. */
export const estimateTokens = (value: unknown): number => Math.ceil(JSON.stringify(value).length / 4)

export const countInput = ({ system, tools, messages }: MessagesRequest): number =>
  estimateTokens(system) + estimateTokens(tools) + estimateTokens(messages)

/** Plausible figures: all but the newest exchange is read from the cache, as with a warm conversation. */
export function estimateUsage(request: MessagesRequest, outputTokens: number, inputTokens?: number): Usage {
  const total = inputTokens ?? countInput(request)
  const fresh = Math.min(total, estimateTokens(request.messages.slice(-2)))
  const cached = request.messages.length > 1 ? total - fresh : 0
  const uncached = Math.min(4, total)
  return {
    input_tokens: uncached,
    cache_creation_input_tokens: Math.max(0, total - cached - uncached),
    cache_read_input_tokens: cached,
    output_tokens: outputTokens,
    service_tier: 'standard',
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { MessagesRequest } from './messages-request.ts'
import type { MessageReply, Piece } from './reply.ts'
import { estimateTokens, estimateUsage, type Usage } from './usage.ts'

type Content = Extract<Piece, { type: 'text' | 'thinking' | 'tool_use' }>

export type NewId = (prefix: string) => string

/** An event of the stream, or `end the connection now`. */
export type StreamEvent = { readonly type: string; readonly [field: string]: unknown } | 'drop'

const isContent = (piece: Piece): piece is Content =>
  piece.type === 'text' || piece.type === 'thinking' || piece.type === 'tool_use'

const contentBlock = (piece: Content, newId: NewId) => {
  if (piece.type === 'text') return { type: 'text', text: piece.text }
  if (piece.type === 'thinking') return { type: 'thinking', thinking: piece.thinking, signature: 'c2NyaXB0ZWQ=' }
  return { type: 'tool_use', id: newId('toolu'), name: piece.name, input: piece.input }
}

/** The reply as one message, for a request that does not stream. */
export function describeMessage(request: MessagesRequest, reply: MessageReply, newId: NewId) {
  const content = reply.pieces.filter(isContent).map((piece) => contentBlock(piece, newId))
  return {
    id: newId('msg'),
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason: reply.stopReason,
    stop_sequence: null,
    usage: estimateUsage(request, estimateTokens(content), reply.inputTokens),
  }
}

/** The reply as the events of a stream, at its pace. Ends early when a fault says so; rejects when `signal` aborts. */
export async function* streamMessage(
  request: MessagesRequest,
  reply: MessageReply,
  { newId, signal, bill }: { newId: NewId; signal: AbortSignal; bill: (usage: Usage) => void },
): AsyncGenerator<StreamEvent> {
  const { content: _, stop_reason: __, usage, ...message } = describeMessage(request, reply, newId)
  const begun = { ...usage, output_tokens: 1 }
  bill(begun)
  yield { type: 'message_start', message: { ...message, content: [], stop_reason: null, usage: begun } }
  yield { type: 'ping' }
  let index = 0
  for (const piece of reply.pieces) {
    if (piece.type === 'stall') await pause(piece.ms, signal)
    else if (piece.type === 'drop') return yield 'drop'
    else if (piece.type === 'mid_error') {
      return yield { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    } else yield* streamBlock(piece, index++, newId, signal)
  }
  bill(usage)
  yield {
    type: 'message_delta',
    delta: { stop_reason: reply.stopReason, stop_sequence: null },
    usage: { output_tokens: usage.output_tokens },
  }
  yield { type: 'message_stop' }
}

async function* streamBlock(
  piece: Content,
  index: number,
  newId: NewId,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const { start, deltas } = takeApart(piece, newId)
  yield { type: 'content_block_start', index, content_block: start }
  for (const delta of deltas) {
    if (piece.type === 'text' && piece.paceMs > 0) await sleep(piece.paceMs, undefined, { signal })
    yield { type: 'content_block_delta', index, delta }
  }
  yield { type: 'content_block_stop', index }
}

/** How a block begins, and what is added to it bit by bit. */
function takeApart(piece: Content, newId: NewId) {
  if (piece.type === 'text') {
    const deltas = splitText(piece.text).map((text) => ({ type: 'text_delta', text }))
    return { start: { type: 'text', text: '' }, deltas }
  }
  if (piece.type === 'thinking') {
    const { signature, ...block } = contentBlock(piece, newId) as { type: string; thinking: string; signature: string }
    const deltas = [
      ...splitText(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking })),
      { type: 'signature_delta', signature },
    ]
    return { start: { ...block, thinking: '', signature: '' }, deltas }
  }
  const deltas = splitText(JSON.stringify(piece.input)).map((json) => ({
    type: 'input_json_delta',
    partial_json: json,
  }))
  return { start: { ...contentBlock(piece, newId), input: {} }, deltas }
}

/** Word by word. */
const splitText = (text: string): string[] => text.match(/\S+\s*|\s+/g) ?? []

/** Waits; for ever when `ms` is infinite. Rejects when `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms !== Number.POSITIVE_INFINITY) return sleep(ms, undefined, { signal })
  signal.throwIfAborted()
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}

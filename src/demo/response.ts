import type { ServerResponse } from 'node:http'
import { faultHeaders, HTTP_FAULTS, type HttpFault } from './faults.ts'
import type { MessagesRequest } from './messages-request.ts'
import type { MessageReply, Reply } from './reply.ts'
import { describeMessage, type NewId, pause, streamMessage } from './reply-stream.ts'
import type { Usage } from './usage.ts'

export interface ReplyContext {
  readonly request: MessagesRequest
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  readonly now: () => number
  readonly newId: NewId
  /** Told of what the answer is charged with, once it begins and again when it is whole. */
  readonly bill: (usage: Usage) => void
}

/** Answers with JSON. */
export function writeJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** Answers with an error in the shape of the real API. */
export function writeError(
  response: ServerResponse,
  { status, type, message }: HttpFault,
  headers: Readonly<Record<string, string>> = {},
): void {
  const request_id = String(response.getHeader('request-id') ?? '')
  writeJson(response, status, { type: 'error', error: { type, message }, request_id }, headers)
}

/** Answers `/v1/messages`: a message, a stream, or the fault that the reply is. */
export async function writeReply(response: ServerResponse, reply: Reply, context: ReplyContext): Promise<void> {
  const { request, now } = context
  if (reply.kind === 'reset') response.destroy()
  else if (reply.kind === 'error') {
    const { name, fault } = reply
    const { status, type, message } = HTTP_FAULTS[name]
    writeError(response, { status, type, message: fault.message ?? message }, faultHeaders(name, fault, now()))
  } else if (request.stream) await writeStream(response, reply, context)
  else await writeWhole(response, reply, context)
}

/** What befalls a stream befalls a whole message too: an engine that lost the stream tries without one. */
async function writeWhole(
  response: ServerResponse,
  reply: MessageReply,
  { request, newId, signal, bill }: ReplyContext,
): Promise<void> {
  for (const piece of reply.pieces) {
    if (piece.type === 'stall') await pause(piece.ms, signal)
    if (piece.type === 'drop') return void response.destroy()
    if (piece.type === 'mid_error') return writeError(response, HTTP_FAULTS.overloaded)
  }
  const message = describeMessage(request, reply, newId)
  bill(message.usage)
  writeJson(response, 200, message)
}

async function writeStream(
  response: ServerResponse,
  reply: MessageReply,
  { request, newId, signal, bill }: ReplyContext,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  for await (const event of streamMessage(request, reply, { newId, signal, bill })) {
    if (event === 'drop') return void response.destroy()
    await write(response, `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  }
  response.end()
}

/** Resolves when the text has left: what comes before a cut has to arrive. */
const write = (response: ServerResponse, text: string): Promise<void> =>
  new Promise((resolve, reject) => response.write(text, (error) => (error ? reject(error) : resolve())))

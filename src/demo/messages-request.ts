import { z } from 'zod'
import { HiveError } from '../wire/errors.ts'

const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
  is_error: z.boolean().optional(),
})
export type Block = z.infer<typeof Block>

const asBlocks = (content: string | Block[]): Block[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content

const Content = z.union([z.string(), z.array(Block)]).transform(asBlocks)

const Message = z.looseObject({ role: z.enum(['user', 'assistant', 'system']), content: Content })
export type Message = z.infer<typeof Message>

/** What the model reads of a request to `/v1/messages`; the rest of it does not matter here. */
export const MessagesRequest = z.looseObject({
  model: z.string(),
  max_tokens: z.number().optional(),
  stream: z.boolean().default(false),
  system: Content.default([]).transform((blocks) => blocks.map(({ text }) => text ?? '').join('\n')),
  messages: z.array(Message).min(1),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
  metadata: z.looseObject({ user_id: z.string().optional() }).default({}),
})
export type MessagesRequest = z.infer<typeof MessagesRequest>

/** The text of a tool result or of any other content. */
export function contentText(content: unknown): string {
  const parsed = Content.safeParse(content ?? '')
  return parsed.success ? parsed.data.map(({ text }) => text ?? '').join('\n') : JSON.stringify(content)
}

/** Longest body that the real API takes. */
const MAX_REQUEST_BYTES = 32 * 1024 * 1024

/** The body of a request. Throws `too_large` over 32 MB, `bad_input` when it is not JSON. */
export async function readBody(request: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > MAX_REQUEST_BYTES) throw new HiveError('too_large', 'Request exceeds the maximum size')
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (cause) {
    throw new HiveError('bad_input', 'The request body is not valid JSON', { cause })
  }
}

/** Throws `bad_input` that names the first field that is wrong. */
export function decodeRequest(body: unknown): MessagesRequest {
  const parsed = MessagesRequest.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new HiveError('bad_input', `${issue?.path.join('.')}: ${issue?.message}`)
}

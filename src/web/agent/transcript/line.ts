import { z } from 'zod'
import { jsonText } from './json-text.ts'

/** Media types of pictures that a browser draws without running anything. */
const ImageType = z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])

const Image = z.object({
  type: z.literal('image'),
  source: z.object({
    type: z.literal('base64'),
    media_type: ImageType,
    /** One that was cut to be stored is no picture any more. */
    data: z.string().regex(/^[A-Za-z0-9+/\s]+={0,2}$/),
  }),
})

const Block = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('thinking'), thinking: z.string() }),
  z.object({ type: z.literal('redacted_thinking') }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown().optional() }),
  z.object({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    content: z.unknown().optional(),
    is_error: z.boolean().nullish(),
  }),
  Image,
])
export type Block = z.infer<typeof Block>

const Said = z.object({
  message: z.object({ content: z.union([z.string(), z.array(z.unknown())]) }),
  parent_tool_use_id: z.string().nullish(),
  isReplay: z.boolean().nullish(),
  tool_use_result: z.unknown().optional(),
})

/** A block that is not known, as it came. */
export interface StrangeBlock {
  readonly type: 'strange'
  readonly block: unknown
}

/** One line of the engine's stream that says something. */
export interface SaidLine {
  readonly role: 'assistant' | 'user'
  /** Said within a call of a tool: by a helper of the engine. */
  readonly isHelper: boolean
  /** The engine repeats what it was told. */
  readonly isReplay: boolean
  readonly blocks: readonly (Block | StrangeBlock)[]
  /** What the engine knows of a result beyond its text. */
  readonly detail: unknown
}

/** A line that says something, or undefined: then it is another one, or cannot be read. */
export function readSaid(value: Readonly<Record<string, unknown>>): SaidLine | undefined {
  if (value.type !== 'assistant' && value.type !== 'user') return undefined
  const said = Said.safeParse(value)
  if (!said.success) return undefined
  const { message, parent_tool_use_id, isReplay, tool_use_result } = said.data
  const { content } = message
  return {
    role: value.type,
    isHelper: Boolean(parent_tool_use_id),
    isReplay: isReplay ?? false,
    blocks: typeof content === 'string' ? [{ type: 'text', text: content }] : content.map(readBlock),
    detail: tool_use_result,
  }
}

const readBlock = (block: unknown): Block | StrangeBlock => Block.safeParse(block).data ?? { type: 'strange', block }

/** What a tool gave back. */
export interface Result {
  readonly text: string
  /** As `data:` addresses. */
  readonly images: readonly string[]
}

/** The content of a result: text and pictures; what is neither stands in the text as JSON. */
export function readResult(content: unknown): Result {
  if (content === undefined || content === null) return { text: '', images: [] }
  if (typeof content === 'string') return { text: content, images: [] }
  const images: string[] = []
  const texts = (Array.isArray(content) ? content : [content]).flatMap((part) => {
    const block = readBlock(part)
    if (block.type === 'text') return [block.text]
    if (block.type !== 'image') return [jsonText(part)]
    images.push(imageAddress(block))
    return []
  })
  return { text: texts.join('\n'), images }
}

export const imageAddress = ({ source }: z.infer<typeof Image>): string =>
  `data:${source.media_type};base64,${source.data.replaceAll(/\s/g, '')}`

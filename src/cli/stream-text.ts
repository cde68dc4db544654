import { z } from 'zod'
import { cut } from './cells.ts'
import type { Paint } from './paint.ts'
import { jsonText, printable, printableLine } from './printable.ts'

const INPUT_CELLS = 160
const RESULT_LINES = 6
const RESULT_CELLS = 200

/** The lines of the engine's stream that a transcript shows; all of it is the agent's claim. */
const Line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('assistant'), message: z.object({ content: z.array(z.unknown()) }) }),
  z.object({ type: z.literal('user'), message: z.object({ content: z.union([z.string(), z.array(z.unknown())]) }) }),
  z.object({ type: z.literal('system'), subtype: z.string(), error: z.unknown(), attempt: z.unknown() }),
])

const Block = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('thinking'), thinking: z.string() }),
  z.object({ type: z.literal('tool_use'), name: z.string(), input: z.unknown() }),
  z.object({ type: z.literal('tool_result'), content: z.unknown(), is_error: z.boolean().nullish() }),
])
type Block = z.infer<typeof Block>

/** One line of the engine's stream for people. */
export function streamText(value: Record<string, unknown>, paint: Paint): string[] {
  const line = Line.safeParse(value)
  if (!line.success) return []
  if (line.data.type === 'system') return systemText(line.data, paint)
  const { content } = line.data.message
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  return blocks.flatMap((block) => {
    const known = Block.safeParse(block)
    return known.success ? blockText(known.data, paint) : [paint('gray', '(something else)')]
  })
}

function systemText(
  { subtype, error, attempt }: Extract<z.infer<typeof Line>, { type: 'system' }>,
  paint: Paint,
): string[] {
  if (subtype === 'compact_boundary') return [paint('cyan', '• the context was compacted')]
  if (subtype === 'api_retry') {
    return [paint('yellow', `• the model is asked again (attempt ${oneLine(attempt)}): ${oneLine(error)}`)]
  }
  return []
}

function blockText(block: Block, paint: Paint): string[] {
  switch (block.type) {
    case 'text':
      return printable(block.text).split('\n')
    case 'thinking':
      return [paint(['gray', 'italic'], `thinks: ${cut(printableLine(block.thinking), INPUT_CELLS)}`)]
    case 'tool_use':
      return [`${paint('cyan', `▶ ${printableLine(block.name)}`)} ${cut(oneLine(block.input), INPUT_CELLS)}`]
    case 'tool_result':
      return resultText(block.content)
        .map((line) => cut(line, RESULT_CELLS))
        .map((line) => `  ${paint(block.is_error ? 'red' : 'gray', line)}`)
  }
}

function resultText(content: unknown): string[] {
  const parts = z.array(z.object({ text: z.string() })).safeParse(content)
  const text = parts.success ? parts.data.map((part) => part.text).join('\n') : content
  const lines = typeof text === 'string' ? printable(text.trimEnd()).split('\n') : [oneLine(text)]
  const more = lines.length - RESULT_LINES
  return more > 1 ? [...lines.slice(0, RESULT_LINES), `… ${more} more lines`] : lines
}

const oneLine = (value: unknown): string =>
  typeof value === 'string' ? printableLine(value) : value === undefined ? '' : jsonText(value)

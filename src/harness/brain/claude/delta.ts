import { z } from 'zod'
import type { StreamMessage } from './claude-process.ts'

/** A piece of what the model says while it says it. */
export interface Delta {
  readonly kind: 'text' | 'thinking'
  readonly text: string
}

const StreamEvent = z.looseObject({
  parent_tool_use_id: z.string().nullish(),
  event: z.looseObject({
    delta: z.looseObject({ text: z.string().optional(), thinking: z.string().optional() }).optional(),
  }),
})

/** What a `stream_event` adds to the agent's own words; those of helpers of the engine's are left out. Throws when it cannot be read. */
export function readDelta(message: StreamMessage): Delta | undefined {
  const { parent_tool_use_id: parent, event } = StreamEvent.parse(message)
  if (parent) return undefined
  const { text, thinking } = event.delta ?? {}
  if (text) return { kind: 'text', text }
  return thinking ? { kind: 'thinking', text: thinking } : undefined
}

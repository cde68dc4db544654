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
    type: z.string().optional(),
    delta: z.looseObject({ text: z.string().optional(), thinking: z.string().optional() }).optional(),
  }),
})

/**
 * What a `stream_event` says: what it adds to the agent's own words, where those of helpers of the engine are left out, and whether one
 * answer of the model, also to a helper, ends with it. Throws when it cannot be read.
 */
export function readStreamEvent(message: StreamMessage): { delta: Delta | undefined; isEnd: boolean } {
  const { parent_tool_use_id: parent, event } = StreamEvent.parse(message)
  return { delta: parent ? undefined : deltaOf(event), isEnd: event.type === 'message_stop' }
}

function deltaOf({ delta }: z.infer<typeof StreamEvent>['event']): Delta | undefined {
  const { text, thinking } = delta ?? {}
  if (text) return { kind: 'text', text }
  return thinking ? { kind: 'thinking', text: thinking } : undefined
}

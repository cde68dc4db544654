import type { LiveEvent, StoredEvent } from '../../../wire/events.ts'

/** Events as they are stored, every tenth number of them: others have those between. */
export const storedEvents = (events: readonly LiveEvent[], first = 10): StoredEvent[] =>
  events.map((event, index) => ({
    seq: first + index * 10,
    agent: 'alice',
    epoch: 1,
    n: index,
    at: 1_795_000_000_000 + index * 1000,
    event,
  }))

export const said = (role: 'assistant' | 'user', ...content: unknown[]): LiveEvent => ({
  kind: 'stream',
  value: { type: role, message: { role, content } },
})

export const called = (id: string, name: string, input: unknown): LiveEvent =>
  said('assistant', { type: 'tool_use', id, name, input })

/** What a call gave back; `detail` as the engine knows it. */
export const gave = (id: string, content: unknown, more: { is_error?: boolean; detail?: unknown } = {}): LiveEvent => ({
  kind: 'stream',
  value: {
    type: 'user',
    message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content, is_error: more.is_error }] },
    tool_use_result: more.detail,
  },
})

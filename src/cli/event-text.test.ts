import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEvent } from '../wire/events.ts'
import { eventText } from './event-text.ts'
import { createPaint } from './paint.ts'

process.env.TZ = 'UTC'
const plain = createPaint({ colors: false })
const show = (event: LiveEvent) =>
  eventText({ seq: 1, agent: 'alice', epoch: 1, n: 1, at: Date.UTC(2026, 10, 21, 14, 3, 22), event }, plain)
const stream = (value: Record<string, unknown>) => show({ kind: 'stream', value })

test('shows a turn: what woke it, how it ended, what it cost', () => {
  const messages = [{ id: 4, from: 'bob', body: 'do\x1b[2J it\nplease' }]
  assert.equal(
    show({ kind: 'turn_start', messages, pending: 2 }),
    '\n14:03:22  turn begins, 2 more wait\n14:03:22  ◀ #4 from bob: do\\x1b[2J it…\n',
  )
  const usage = {
    model: 'haiku',
    inputTokens: 10,
    cacheReadTokens: 1000,
    cacheWriteTokens: 1,
    outputTokens: 20,
    costUsd: 0.012345,
    durationMs: 3210,
    contextTokens: 1011,
    contextWindow: 200_000,
  }
  assert.equal(
    show({ kind: 'turn_end', end: { reason: 'ok', detail: '', usage } }),
    '14:03:22  turn ends well: 3.2 s, 1011 in, 20 out, $0.0123\n',
  )
  assert.equal(
    show({ kind: 'turn_end', end: { reason: 'crash', detail: 'ended\nwith 137' } }),
    '14:03:22  turn ends: crash: ended⏎with 137\n',
  )
})

test('shows what the model says, thinks and does', () => {
  const content = [
    { type: 'text', text: 'First.\n\x1b]0;x\x07Second.' },
    { type: 'thinking', thinking: 'hm\nhm' },
    { type: 'tool_use', name: 'Bash', input: { command: 'echo \u202e' } },
  ]
  assert.equal(
    stream({ type: 'assistant', message: { content } }),
    `\
14:03:22  First.
14:03:22  \\x1b]0;x\\x07Second.
14:03:22  thinks: hm⏎hm
14:03:22  ▶ Bash {"command":"echo \\u202e"}
`,
  )
})

test('shows the beginning of a tool’s result, whatever its form', () => {
  const result = (content: unknown) =>
    stream({ type: 'user', message: { content: [{ type: 'tool_result', content }] } })
  assert.equal(result('A\n'), '14:03:22    A\n')
  assert.equal(result([{ type: 'text', text: 'B' }]), '14:03:22    B\n')
  assert.equal(result({ odd: 1 }), '14:03:22    {"odd":1}\n')
  const long = result(Array.from({ length: 50 }, (_, at) => `line ${at}`).join('\n'))
    .trim()
    .split('\n')
  assert.deepEqual([long.length, long.at(-1)], [7, '14:03:22    … 44 more lines'])
})

test('does not hide what it does not know in a message, and skips lines for machines', () => {
  assert.equal(stream({ type: 'assistant', message: { content: [{ type: 'holo' }] } }), '14:03:22  (something else)\n')
  assert.equal(stream({ type: 'result', result: 'x' }), '')
  assert.equal(stream({ type: 'system', subtype: 'status' }), '')
  assert.equal(
    stream({ type: 'system', subtype: 'api_retry', attempt: 2, error: 'overloaded' }),
    '14:03:22  • the model is asked again (attempt 2): overloaded\n',
  )
})

test('says when events are missing', () => {
  assert.equal(show({ kind: 'gap', lost: 3 }), '14:03:22  • 3 events are missing: the daemon was away\n')
})

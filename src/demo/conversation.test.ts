import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSummaryRequest, readTurns } from './conversation.ts'
import { decodeRequest } from './messages-request.ts'

const read = (...messages: unknown[]) => readTurns(decodeRequest({ model: 'm', messages }).messages)
const user = (...texts: string[]) => ({ role: 'user', content: texts.map((text) => ({ type: 'text', text })) })
const says = (text: string) => ({ role: 'assistant', content: text })
const calls = (...ids: string[]) => ({
  role: 'assistant',
  content: ids.map((id) => ({ type: 'tool_use', id, name: 'Bash', input: {} })),
})
const result = (id: string, content: unknown) => ({
  role: 'user',
  content: [{ type: 'tool_result', tool_use_id: id, content }],
})
const reply = (ids: string[] = [], results: string[] = []) => ({ calls: ids, results })

test('counts the replies of a turn and keeps the results in the order of the calls', () => {
  assert.deepEqual(
    read(
      user('<system-reminder>x', 'go'),
      { role: 'system', content: 'env' },
      calls('a', 'b'),
      result('b', '2'),
      result('a', [{ type: 'text', text: '1' }]),
    ),
    [{ prompt: 'go', replies: [reply(['a', 'b'], ['1', '2'])] }],
  )
})

test('takes one reply that was split into messages as one', () => {
  const [turn] = read(user('go'), says('first'), calls('a'), result('a', 'x'))
  assert.deepEqual(turn?.replies, [reply(['a'], ['x'])])
})

test('tells prompts apart that the engine joined because they got no answer', () => {
  const turns = read(user('one\n', '[Request interrupted by user]', 'two'))
  assert.deepEqual(
    turns.map(({ prompt }) => prompt),
    ['one\n', 'two'],
  )
})

test('takes no note of the engine for a prompt', () => {
  const notes = [
    'Output token limit hit. Resume directly',
    '[Your previous response had no visible output. Please continue',
  ]
  assert.deepEqual(read(user('go'), says('a'), user(...notes)), [{ prompt: 'go', replies: [reply()] }])
})

test('does not count a reply that was cut off', () => {
  const cut = user('Your response above was cut off mid-stream. Resume directly')
  assert.deepEqual(read(user('go'), says('a'), cut), [{ prompt: 'go', replies: [] }])
  assert.deepEqual(read(user('go', 'Your response above was stopped by a safety classifier'), says('a')), [
    { prompt: 'go', replies: [reply()] },
  ])
})

test('knows a request for a summary', () => {
  const { messages } = decodeRequest({
    model: 'm',
    messages: [
      user('go'),
      user('CRITICAL: no tools.\n\nYour task is to create a detailed summary of the conversation'),
    ],
  })
  assert.equal(isSummaryRequest(messages), true)
  assert.equal(isSummaryRequest(messages.slice(0, 1)), false)
})

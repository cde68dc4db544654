import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Turn } from './conversation.ts'
import { decideReply, type Reply } from './reply.ts'
import type { Rule, Step } from './scenario.ts'

const wake = (body: string, { from = 'bob', standing = 'peer', id = 5, attempt = 1 } = {}): string =>
  `Message ${id} from ${from} (${standing}), attempt ${attempt}, 0 more waiting.\n<<<m\n${body}\nm>>>`
const turn = (prompt: string, ...results: string[][]): Turn => ({
  prompt,
  replies: results.map((texts) => ({ calls: texts.map((_, index) => String(index)), results: texts })),
})

const decide = (rules: Rule[], turns: Turn[], taken = new Map<string, number>()): Reply =>
  decideReply({
    scenario: { about: '', rules },
    label: 'alice',
    turns,
    paceMs: 0,
    takeFault: (key, times) => {
      const count = taken.get(key) ?? 0
      taken.set(key, count + 1)
      return count < times
    },
  })

/** The content of a reply in a form that reads well. */
const show = (reply: Reply): unknown =>
  reply.kind !== 'message'
    ? reply
    : reply.pieces.map((piece) =>
        piece.type === 'text' ? piece.text : piece.type === 'tool_use' ? [piece.name, piece.input] : piece.type,
      )

const call = (command: string): Step => ({ call: 'Bash', with: { command } })

test('gives one reply per tool call and ends the turn when the steps are used up', () => {
  const rules: Rule[] = [{ do: [{ say: 'a' }, call('1'), call('2'), { say: 'It said {result}.' }] }]
  assert.deepEqual(show(decide(rules, [turn('go')])), ['a', ['Bash', { command: '1' }]])
  assert.deepEqual(show(decide(rules, [turn('go', ['x'])])), [['Bash', { command: '2' }]])
  assert.deepEqual(show(decide(rules, [turn('go', ['x'], ['y'])])), ['It said y.'])
  assert.deepEqual(show(decide(rules, [turn('go', ['x'], ['y'], [])])), ['Done.'])
})

test('chooses the first rule that fits sender, standing, attempt and body', () => {
  const rules: Rule[] = [
    { from: 'carol', do: [{ say: 'carol' }] },
    { standing: 'operator', do: [{ say: 'operator' }] },
    { attempt: 2, do: [{ say: 'again' }] },
    { body: '^add (\\d+) to (?<to>\\w+)', do: [{ say: '{1} {to} {from} {id} {label} {n} {unknown}' }] },
  ]
  assert.deepEqual(show(decide(rules, [turn(wake('x', { from: 'carol' }))])), ['carol'])
  assert.deepEqual(show(decide(rules, [turn(wake('x', { from: 'carol2' }))])), ['Noted.'])
  assert.deepEqual(show(decide(rules, [turn(wake('x', { from: 'operator', standing: 'operator' }))])), ['operator'])
  assert.deepEqual(show(decide(rules, [turn(wake('add 1 to b', { attempt: 2 }))])), ['again'])
  const twice = [turn(wake('add 1 to b')), turn('something else'), turn(wake('add 2 to c'))]
  assert.deepEqual(show(decide(rules, twice)), ['2 c bob 5 alice 2 {unknown}'])
})

test('lets a rule on the result take over in the middle of a turn', () => {
  const rules: Rule[] = [
    { result: '^(rate_limited|inbox_full)', do: [call('wait'), { say: 'Gave up: {1}.' }] },
    { do: [call('send'), { say: 'Sent.' }] },
  ]
  assert.deepEqual(show(decide(rules, [turn('go', ['inbox_full: x'])])), [['Bash', { command: 'wait' }]])
  assert.deepEqual(show(decide(rules, [turn('go', ['inbox_full: x'], ['ok'])])), ['Gave up: inbox_full.'])
  assert.deepEqual(show(decide(rules, [turn('go', ['ok'])])), ['Sent.'])
})

test('gives a tool numbers where it wants them', () => {
  const rules: Rule[] = [
    { body: '(\\d+)', do: [{ call: 'x', with: { id: '{id}', wait: '{#1}', text: '{1}', list: ['{1}'] } }] },
  ]
  assert.deepEqual(show(decide(rules, [turn(wake('wait 7'))])), [['x', { id: 5, wait: 7, text: '7', list: ['7'] }]])
})

test('counts a fault per message, redelivered or not', () => {
  const rules: Rule[] = [{ body: 'x', do: [{ fault: 'overloaded', times: 2 }, { say: 'Past it.' }] }]
  const taken = new Map<string, number>()
  const kinds = [1, 1, 2].map((attempt) => decide(rules, [turn(wake('x', { attempt }))], taken).kind)
  assert.deepEqual(kinds, ['error', 'error', 'message'])
  assert.equal(decide(rules, [turn(wake('x', { id: 6 }))], taken).kind, 'error')
})

test('puts a fault of the stream where the scenario has it', () => {
  const rules: Rule[] = [
    { do: [{ say: 'a' }, { fault: 'stall', times: 1, ms: 5 }, { say: 'b' }, { fault: 'drop' }, { say: 'c' }] },
  ]
  assert.deepEqual(show(decide(rules, [turn('go')])), ['a', 'stall', 'b', 'drop'])
})

test('runs out of tokens as often as it is told, and always with something said', () => {
  const rules: Rule[] = [{ do: [{ fault: 'max_tokens', times: 2 }, { say: 'Whole.' }] }]
  const stops = [[], [[]], [[], []]].map((replies) => {
    const reply = decide(rules, [turn('go', ...replies)])
    return reply.kind === 'message' && [reply.stopReason, reply.pieces.length]
  })
  assert.deepEqual(stops, [
    ['max_tokens', 1],
    ['max_tokens', 1],
    ['end_turn', 1],
  ])
})

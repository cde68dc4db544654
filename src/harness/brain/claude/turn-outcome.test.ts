import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { TurnReason } from '../../../wire/turn.ts'
import type { StreamMessage } from './claude-process.ts'
import { hasEnded, observe, type TurnFacts } from './turn-facts.ts'
import { decideTurnEnd } from './turn-outcome.ts'

const gather = (messages: readonly StreamMessage[]): TurnFacts => {
  const facts: TurnFacts = {}
  for (const message of messages) observe(facts, message)
  return facts
}
const readSample = (name: string): StreamMessage[] =>
  readFileSync(join(import.meta.dirname, 'samples', `${name}.jsonl`), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

const result = (more: object = {}): StreamMessage => ({
  type: 'result',
  subtype: 'success',
  is_error: false,
  result: 'Done.',
  duration_ms: 1200,
  total_cost_usd: 0.5,
  usage: { input_tokens: 4, output_tokens: 9, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 },
  modelUsage: { small: { contextWindow: 200_000 }, big: { contextWindow: 1_000_000 } },
  ...more,
})
const assistant = (more: object = {}): StreamMessage => ({
  type: 'assistant',
  parent_tool_use_id: null,
  message: { model: 'big', usage: { input_tokens: 4, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 } },
  ...more,
})
const aborted = result({ subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming' })

describe('how a recorded turn ended', () => {
  const recorded: Record<string, TurnReason> = {
    'bad-request': 'refused',
    'wrong-key': 'auth',
    'expired-login': 'auth',
    forbidden: 'auth',
    'not-logged-in': 'auth',
    'unknown-model': 'refused',
    'too-large': 'refused',
    'rate-limited': 'overloaded',
    'server-error': 'overloaded',
    overloaded: 'overloaded',
    credit: 'billing',
    'weekly-limit': 'quota',
    'connection-refused': 'network',
    'max-turns': 'error',
  }
  for (const [name, reason] of Object.entries(recorded)) {
    test(`${name}: ${reason}`, () => {
      const facts = gather(readSample(name))
      const end = decideTurnEnd(facts)
      assert.equal(end.reason, reason)
      assert.ok(end.detail.length > 0)
      assert.ok(hasEnded(facts))
    })
  }

  test('a quota says in milliseconds when it frees up', () => {
    const end = decideTurnEnd(gather(readSample('weekly-limit')))
    assert.ok(end.resetsAt && end.resetsAt > Date.UTC(2020, 0))
  })

  test('a refused login shows at the first retry', () => {
    const [retry] = readSample('expired-login')
    assert.ok(retry && gather([retry]).authRefused)
  })
})

describe('how a turn ends', () => {
  test('ok needs a result without an error, whatever its subtype', () => {
    assert.equal(decideTurnEnd(gather([result()])).reason, 'ok')
    assert.equal(decideTurnEnd(gather([result({ is_error: true })])).reason, 'error')
  })

  test('by the cause we stopped it for, when it was aborted or said nothing', () => {
    for (const stopped of ['interrupted', 'hang', 'auth'] as const) {
      assert.equal(decideTurnEnd({ ...gather([aborted]), stopped }).reason, stopped)
      const exit = { code: null, signal: 'SIGKILL', complaint: '' } as const
      assert.equal(decideTurnEnd({ stopped }, { exit }).reason, stopped)
    }
  })

  test('ok, when it was done before our stop took effect', () => {
    assert.equal(decideTurnEnd({ ...gather([result()]), stopped: 'interrupted' }).reason, 'ok')
  })

  test('in a crash, when the process is gone without a result, or was interrupted by someone else', () => {
    const exit = { code: 3, signal: null, complaint: 'out of cheese' }
    const end = decideTurnEnd({}, { exit })
    assert.equal(end.reason, 'crash')
    assert.match(end.detail, /exit code 3: out of cheese/)
    assert.equal(decideTurnEnd(gather([aborted]), { exit }).reason, 'crash')
    assert.equal(decideTurnEnd(gather([aborted])).reason, 'error')
  })

  test('too long, however the engine names it', () => {
    for (const terminal_reason of ['prompt_too_long', 'blocking_limit']) {
      const facts = gather([assistant({ error: 'invalid_request' }), result({ is_error: true, terminal_reason })])
      assert.equal(decideTurnEnd(facts).reason, 'prompt_too_long')
    }
  })

  test('a result that cannot be read is an error that says so', () => {
    const facts = gather([{ type: 'result', is_error: 'perhaps' }])
    assert.ok(hasEnded(facts))
    const end = decideTurnEnd(facts)
    assert.equal(end.reason, 'error')
    assert.match(end.detail, /result.*is_error/s)
  })

  test('messages nobody knows change nothing', () => {
    assert.deepEqual(gather([{ type: 'system', subtype: 'brand_new' }, { type: 'surprise' }, {}]), { begun: true })
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { measureTurn, readUsage, ZERO } from './meter.ts'
import { Result, type TurnFacts } from './turn-facts.ts'

const model = (inputTokens: number, contextWindow = 200_000) => ({
  inputTokens,
  outputTokens: 9,
  cacheReadInputTokens: 100,
  cacheCreationInputTokens: 20,
  contextWindow,
})
const facts: TurnFacts = {
  model: 'big',
  contextTokens: 124,
  result: Result.parse({
    subtype: 'success',
    is_error: false,
    duration_ms: 1200,
    total_cost_usd: 0.5,
    usage: { input_tokens: 4, output_tokens: 9, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 },
    modelUsage: { small: model(1), big: model(10, 1_000_000) },
  }),
}
const reading = { inputTokens: 11, outputTokens: 18, cacheReadTokens: 200, cacheWriteTokens: 40, costUsd: 0.5 }
const context = { model: 'big', durationMs: 1200, contextTokens: 124, contextWindow: 1_000_000 }

describe('what a turn used', () => {
  test('is how far the meter of the conversation has gone, over all models', () => {
    const before = { inputTokens: 4, outputTokens: 8, cacheReadTokens: 0, cacheWriteTokens: 10, costUsd: 0.375 }
    const used = { inputTokens: 7, outputTokens: 10, cacheReadTokens: 200, cacheWriteTokens: 30, costUsd: 0.125 }
    assert.deepEqual(measureTurn({ facts, beganAt: 0, reading }, before), { ...context, ...used })
    assert.deepEqual(measureTurn({ facts, beganAt: 0, reading }, ZERO), { ...context, ...reading })
  })

  test('is all that a meter shows which was begun anew', () => {
    assert.deepEqual(measureTurn({ facts, beganAt: 0, reading }, { ...ZERO, costUsd: 0.75 }), {
      ...context,
      ...reading,
    })
  })

  test('is what the result says, without dollars, when nobody knows where the meter stood', () => {
    const used = { inputTokens: 4, outputTokens: 9, cacheReadTokens: 100, cacheWriteTokens: 20, costUsd: 0 }
    assert.deepEqual(measureTurn({ facts, beganAt: 0, reading }, undefined), { ...context, ...used })
  })

  test('is not known of a turn without a result or a reading', () => {
    assert.equal(measureTurn({ facts: {}, beganAt: 0 }, ZERO), undefined)
  })

  test('is read from the answer of the engine, over all models', () => {
    const session = { total_cost_usd: 0.5, model_usage: { small: model(1), big: model(10) }, more: 1 }
    assert.deepEqual(readUsage({ session }), reading)
  })
})

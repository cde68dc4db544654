import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TurnReason } from '../../wire/turn.ts'
import { createIntervals } from '../intervals.ts'
import { backoffMs, type Counters, decideOutcome, MAX_FAILURES } from './outcome.ts'

const INTERVALS = createIntervals()
const NOW = 1_000_000
/** Another clock. */
const WALL = 1_700_000_000_000
const DAY_MS = 24 * 3_600_000
const NEW: Counters = { failures: 0, streak: 0, authFailures: 0 }
const decide = (
  reason: TurnReason,
  counters: Partial<Counters> = {},
  { accepted = false, resetsAt = 0, random = 0 } = {},
) =>
  decideOutcome(
    { reason, detail: 'why', ...(resetsAt && { resetsAt }) },
    accepted,
    { ...NEW, ...counters },
    { now: NOW, wallNow: WALL, random },
    INTERVALS,
  )

describe('a turn that the harness acked', () => {
  test('is done, whatever was before', () => {
    assert.deepEqual(decide('ok', { failures: 2, streak: 5 }, { accepted: true }), { message: 'done' })
  })

  test('is done and says so when the operator cancelled it', () => {
    assert.deepEqual(decide('interrupted', {}, { accepted: true }), { message: 'done', error: 'cancelled' })
  })
})

describe('a turn that the harness released', () => {
  test('charges its message only when it crashed, hung or failed without a name', () => {
    const charged = TurnReason.options.filter((reason) => {
      const outcome = decide(reason)
      return outcome.message === 'retry' && outcome.charge
    })
    assert.deepEqual(charged, ['crash', 'hang', 'error'])
  })

  test('makes its message dead at once when nothing would help', () => {
    const dead = TurnReason.options.filter((reason) => decide(reason).message === 'dead')
    assert.deepEqual(dead, ['prompt_too_long', 'refused'])
  })

  test('makes its message dead at its last failure, and not before', () => {
    for (const reason of ['crash', 'hang', 'error'] as const) {
      assert.equal(decide(reason, { failures: MAX_FAILURES - 2 }).message, 'retry')
      assert.deepEqual(decide(reason, { failures: MAX_FAILURES - 1 }), { message: 'dead', error: `${reason}: why` })
    }
    assert.equal(decide('overloaded', { failures: MAX_FAILURES - 1 }).message, 'retry')
  })

  test('is tried again at once after a stop', () => {
    const error = 'interrupted: why'
    assert.deepEqual(decide('interrupted', { streak: 4 }), { message: 'retry', charge: false, error })
  })

  test('is tried once more with a login that was refused, then waits for one', () => {
    assert.deepEqual(decide('auth'), { message: 'retry', charge: false, error: 'auth: why' })
    const again = decide('auth', { authFailures: 1 })
    assert.deepEqual(again.message === 'retry' && again.park, { reason: 'login', detail: 'why' })
  })

  test('waits for a quota until it frees up, or for 5 minutes when that is not known; what cannot be is not believed', () => {
    const waits = (resetsAt?: number) => {
      const { park } = decide('quota', {}, { resetsAt }) as { park: { reason: string; until: number } }
      assert.equal(park.reason, 'quota')
      return park.until - WALL
    }
    assert.deepEqual(
      [waits(WALL + 60_000), waits(), waits(WALL - 60_000), waits(WALL + 1000 * DAY_MS)],
      [60_000, 300_000, 5_000, 31 * DAY_MS],
    )
  })

  test('goes on within a minute of the moment at which its quota frees up, so that not all do at once', () => {
    const until = (random: number) => {
      const outcome = decide('quota', {}, { resetsAt: WALL + 60_000, random })
      return outcome.message === 'retry' && (outcome.park?.until ?? 0) - WALL
    }
    assert.deepEqual([0, 0.5, 1].map(until), [60_000, 90_000, 120_000])
  })

  test('waits for the operator without credit', () => {
    const outcome = decide('billing')
    assert.deepEqual(outcome.message === 'retry' && outcome.park, { reason: 'billing', detail: 'why' })
  })

  test('waits longer each time that the API is not to be had', () => {
    for (const reason of ['overloaded', 'network'] as const) {
      const waits = [0, 1, 2].map((streak) => {
        const outcome = decide(reason, { streak }, { random: 0.5 })
        return outcome.message === 'retry' && (outcome.notBefore ?? 0) - NOW
      })
      assert.deepEqual(
        waits,
        [0, 1, 2].map((streak) => backoffMs(streak, 0.5, INTERVALS)),
      )
    }
  })
})

describe('the time between two tries', () => {
  const longest = (streak: number) => backoffMs(streak, 1, INTERVALS)

  test('is 5 s, doubling to 5 minutes', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map(longest),
      [5, 10, 20, 40, 80, 160, 300, 300].map((s) => s * 1000),
    )
    assert.equal(longest(1_000_000), 300_000)
  })

  test('is spread over its upper half', () => {
    assert.deepEqual(
      [0, 0.5, 1].map((random) => backoffMs(1, random, INTERVALS)),
      [5_000, 7_500, 10_000],
    )
  })
})

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createLog } from '../kit/log.ts'
import { Alarm } from './alarm.ts'

/** An alarm over one source, whose clock and due time the test sets. */
function openAlarm(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const state = { now: 1_000_000, next: undefined as number | undefined, looks: 0, failures: [] as unknown[] }
  const source = {
    name: 'things',
    nextAt: () => state.next,
    async tellDue(now: number) {
      state.looks += 1
      if (state.failures.length === 0 && state.next !== undefined && state.next <= now) state.next = undefined
      return state.failures
    },
  }
  const alarm = new Alarm({ sources: [source], deadlineMs: 60_000, log: createLog('silent'), now: () => state.now })
  /** Both clocks go on; all that follows from it is done. */
  const pass = async (ms: number) => {
    state.now += ms
    t.mock.timers.tick(ms)
    await nextTurn()
  }
  return { alarm, state, pass, [Symbol.asyncDispose]: () => alarm[Symbol.asyncDispose]() }
}

test('the alarm looks when something is due, and not before', async (t) => {
  await using opened = openAlarm(t)
  const { alarm, state, pass } = opened
  state.next = state.now + 30_000
  alarm.set()
  await pass(29_999)
  assert.equal(state.looks, 0)
  await pass(1)
  assert.deepEqual([state.looks, state.next], [1, undefined])
})

test('it goes off earlier when something earlier is due, and later when that was taken back', async (t) => {
  await using opened = openAlarm(t)
  const { alarm, state, pass } = opened
  state.next = state.now + 50_000
  alarm.set()
  state.next = state.now + 5_000
  alarm.set()
  state.next = state.now + 20_000
  alarm.set()
  await pass(10_000)
  assert.equal(state.looks, 0)
  await pass(10_000)
  assert.equal(state.looks, 1)
})

test('it looks every minute at a clock that may have been set', async (t) => {
  await using opened = openAlarm(t)
  const { alarm, state, pass } = opened
  state.next = state.now + 8 * 3_600_000
  alarm.set()
  await pass(60_000)
  assert.equal(state.next, 1_000_000 + 8 * 3_600_000)
  state.now += 9 * 3_600_000
  await pass(60_000)
  assert.equal(state.next, undefined)
})

test('what fails is a problem, is tried again after a while however often it is set, and then is none', async (t) => {
  await using opened = openAlarm(t)
  const { alarm, state, pass } = opened
  state.next = state.now
  state.failures = [new Error('the disk is full'), new Error('x')]
  alarm.look()
  await nextTurn()
  assert.match(String(alarm.errors()[0]?.problem), /^the disk is full; and 1 more$/)
  for (let n = 0; n < 4; n += 1) {
    await pass(1_000)
    alarm.set()
  }
  assert.equal(state.looks, 1)
  state.failures = []
  await pass(1_000)
  assert.deepEqual([state.looks, state.next, alarm.errors()], [2, undefined, []])
})

test('it ends for good', async (t) => {
  await using opened = openAlarm(t)
  const { alarm, state, pass } = opened
  alarm.set()
  await alarm[Symbol.asyncDispose]()
  alarm.set()
  alarm.look()
  await pass(120_000)
  assert.equal(state.looks, 0)
})

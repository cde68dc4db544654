import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Need } from '../../wire/things.ts'
import { MOST, planTelling, type Telling } from './plan-telling.ts'

const needOf = (key: string, kind: 'failed' | 'low_disk' = 'failed'): Need => {
  const common = { key, since: 0, link: '/', actions: [], detail: '' }
  return kind === 'low_disk' ? { ...common, kind } : { ...common, kind, agent: key }
}
const ripe = (...keys: string[]) => keys.map((key) => ({ need: needOf(key), seenAt: 0 }))

const plan = (telling: Partial<Telling>) => {
  const { notifications, waitMs } = planTelling({
    untold: [],
    toldAt: [],
    now: 100_000,
    isQuiet: false,
    isMorning: false,
    urgent: ['low_disk'],
    times: { graceMs: 5_000, burstMs: 60_000 },
    ...telling,
  })
  return { told: notifications.map((needs) => needs.map(({ key }) => key)), waitMs }
}

test('waits a little, so that what retires at once is never told', () => {
  const untold = [...ripe('old'), { need: needOf('new'), seenAt: 97_000 }]
  assert.deepEqual(plan({ untold }), { told: [['old']], waitMs: 2_000 })
})

test('one by one as long as they are few, as a digest when there are more', () => {
  const few = Array.from({ length: MOST }, (_, n) => `${n}`)
  assert.deepEqual(
    plan({ untold: ripe(...few) }).told,
    few.map((key) => [key]),
  )
  const many = [...few, 'one more']
  assert.deepEqual(plan({ untold: ripe(...many) }).told, [many])
  assert.deepEqual(plan({ untold: ripe('a', 'b'), toldAt: [90_000, 91_000, 92_000, 93_000] }).told, [['a', 'b']])
})

test('no more than so many in a burst: the rest waits for its end', () => {
  const toldAt = Array.from({ length: MOST }, (_, n) => 90_000 + n)
  assert.deepEqual(plan({ untold: ripe('a'), toldAt }), { told: [], waitMs: 50_000 })
  assert.deepEqual(plan({ untold: ripe('a'), toldAt, now: 150_000 }).told, [['a']])
})

test('in quiet hours what is urgent, and at their end the rest in one', () => {
  const untold = [...ripe('a', 'b'), { need: needOf('disk', 'low_disk'), seenAt: 0 }]
  assert.deepEqual(plan({ untold, isQuiet: true }).told, [['disk']])
  assert.deepEqual(plan({ untold: ripe('a', 'b'), isMorning: true }).told, [['a', 'b']])
})

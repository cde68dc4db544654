import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../kit/log.ts'
import { chooseLongestIdle, type Resting, startMemoryWatch } from './memory-watch.ts'

const idle = (agent: string, since: number): Resting => ({ agent, since, isIdle: true })

test('chooses who has been idle for longest, and nobody who works', () => {
  assert.equal(chooseLongestIdle([{ agent: 'busy', since: 1, isIdle: false }, idle('new', 9), idle('old', 3)]), 'old')
  assert.equal(chooseLongestIdle([{ agent: 'busy', since: 1, isIdle: false }]), undefined)
})

test('lets one after the other end until there is enough again', { timeout: 10_000 }, async () => {
  const agents = new Map([idle('a', 2), idle('b', 1), idle('c', 3)].map((one) => [one.agent, one]))
  const rested: string[] = []
  const seen = Promise.withResolvers<void>()
  let looksAfterwards = 0
  using _ = startMemoryWatch({
    spare: 100,
    agents: () => [...agents.values()],
    rest: (agent) => {
      rested.push(agent)
      agents.delete(agent)
    },
    log: createLog('error'),
    available: () => {
      if (rested.length === 2 && ++looksAfterwards === 3) seen.resolve()
      return 80 + rested.length * 10
    },
    everyMs: 1,
  })
  await seen.promise
  assert.deepEqual(rested, ['b', 'a'])
})

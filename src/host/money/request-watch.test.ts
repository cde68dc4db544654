import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestWatch } from './request-watch.ts'

test('tells what is new since the last look, and what no turn explains', async () => {
  let counted: Record<string, number> | undefined = { alice: 7 }
  const busy = new Set(['alice'])
  const noted: unknown[] = []
  using watch = new RequestWatch({
    async count() {
      if (!counted) throw new Error('no gateway')
      return new Map(Object.entries(counted))
    },
    notes: { addRequests: async (seen) => void noted.push(...seen) },
    hasWorked: (agent) => busy.has(agent),
    now: () => 0,
  })
  await watch.look()
  assert.deepEqual(noted.splice(0), [], 'what was before the first look is nobody’s')
  counted = { alice: 9, bob: 1 }
  await watch.look()
  assert.deepEqual(noted.splice(0), [
    { agent: 'alice', requests: 2, unexplained: 0 },
    { agent: 'bob', requests: 1, unexplained: 1 },
  ])
  counted = undefined
  await watch.look()
  // It was started again meanwhile.
  counted = { alice: 3 }
  await watch.look()
  assert.deepEqual(noted, [{ agent: 'alice', requests: 3, unexplained: 0 }])
})

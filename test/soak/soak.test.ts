import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soak } from './soak.ts'

test('a swarm in trouble loses no message, leaves nothing behind, and shows why it waits', {
  timeout: 420_000,
}, async (t) => {
  const { problems, ...figures } = await soak({ seconds: 45, agents: 4, seed: 4, log: (line) => t.diagnostic(line) })
  t.diagnostic(JSON.stringify(figures))
  assert.deepEqual(problems, [])
  assert.ok(figures.done > 0)
})

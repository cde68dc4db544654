import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectOps } from '../../src/kit/op-client.ts'
import { agentOps } from '../../src/wire/agent-ops.ts'
import { MANAGER } from '../../src/wire/names.ts'
import { startTestHive } from '../hive.ts'

/** Several heartbeats, looks and keep-warm times of the hive below; by hand a minute. */
const SECONDS = Number(process.env.HIVE_IDLE_SECONDS ?? 6)

test('five idle agents ask the model nothing; what ends the wait is a reminder of one of them', {
  timeout: 120_000 + SECONDS * 1000,
}, async () => {
  await using hive = await startTestHive({ keepWarmSeconds: 1, silentSeconds: 3 })
  const host = await hive.host()
  const names = ['alice', 'bob', 'carol', 'dave']
  await Promise.all(names.map((name) => host.spawn({ name })))
  for (const name of [MANAGER, ...names])
    await hive.agent(name, ({ state, unread }) => state === 'idle' && unread === 0)
  const { cursor } = await host.messages({ limit: 1 })
  const before = hive.model.requests.length

  await using alice = await connectOps(agentOps, join(hive.runDir, 'agents/alice/mcp.sock'))
  await alice.call.remind({ message: 'the wait is over', in_seconds: SECONDS })
  await hive.model.asked('the wait is over')
  await hive.agent('alice', ({ state, unread }) => state === 'idle' && unread === 0)

  const asked = hive.model.requests.slice(before)
  const others = asked.filter(({ body }) => !JSON.stringify(body.messages).includes('the wait is over'))
  assert.deepEqual(
    others.map(({ agent }) => agent),
    [],
  )
  const { messages } = await host.messages({ after: cursor })
  assert.deepEqual([...new Set(messages.map(({ from, to }) => `${from} to ${to}`))], ['system to alice'])
  for (const name of names.slice(1)) assert.equal(hive.processes(name).engine, undefined, `the engine of ${name} rests`)
})

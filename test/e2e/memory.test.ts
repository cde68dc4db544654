import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTestHive } from '../hive.ts'

test('while memory is short idle engines end, and a turn goes on', {
  timeout: 120_000,
}, async () => {
  // More than any machine has.
  await using hive = await startTestHive({ spareMiB: 1e9 })
  const host = await hive.host()
  for (const name of ['alice', 'bob']) await host.spawn({ name })
  const { id } = await host.send({ to: 'bob', body: 'stall' })
  await hive.model.waitForRequest(({ agent }) => agent === 'bob')
  const { engine } = hive.processes('bob')
  assert.ok(engine)
  while (['manager', 'alice'].some((name) => hive.processes(name).engine !== undefined)) await sleep(20)
  assert.equal(hive.processes('bob').engine, engine)
  await host.cancel({ agent: 'bob' })
  await hive.message(id, ({ state }) => state === 'done')
  while (hive.processes('bob').engine !== undefined) await sleep(20)
  assert.equal((await hive.tell('alice', 'say awake')).attempt, 1)
})

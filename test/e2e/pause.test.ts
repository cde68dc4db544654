import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHive } from '../hive.ts'
import { approve, propose } from '../proposals.ts'

const isDone = ({ state }: { state: string }) => state === 'done'

test('an agent that is paused while something else is done to it, which is shown, is paused when that has ended', {
  timeout: 120_000,
}, async () => {
  await using hive = await startTestHive()
  const host = await hive.host()
  await host.spawn({ name: 'alice' })
  const { id } = await host.send({ to: 'alice', body: 'mumble 1500' })
  await hive.model.asked('mumble 1500')
  const restarting = host.restart({ agent: 'alice' })
  const { operation } = await hive.agent('alice', (agent) => agent.operation !== null)
  assert.equal(operation?.verb, 'restart')
  await host.pause({ agent: 'alice' })
  const next = await host.send({ to: 'alice', body: 'say later' })
  await restarting
  assert.equal((await hive.message(id, isDone)).attempt, 1)
  assert.equal((await hive.agent('alice', ({ state }) => state === 'paused')).operation, null)
  assert.equal((await hive.message(next.id, () => true)).attempt, 0)
  await host.resume({ agent: 'alice' })
  await hive.message(next.id, isDone)
})

test('an emergency stop interrupts every turn, and nobody asks the model until it ends', {
  timeout: 180_000,
}, async () => {
  await using hive = await startTestHive()
  const host = await hive.host()
  await Promise.all(['alice', 'bob', 'paused'].map((name) => host.spawn({ name })))
  await host.pause({ agent: 'paused', reason: 'mine' })
  const { id: held } = await host.send({ to: 'paused', body: 'say held' })
  const { id: adopted } = await host.send({ to: 'alice', body: 'stall' })
  const { id: told } = await host.send({ to: 'bob', body: 'stall' })
  for (const name of ['alice', 'bob']) await hive.model.waitForRequest(({ agent }) => agent === name)

  const { interrupted } = await host.stop_all({ reason: 'fire' })
  assert.equal(interrupted, 2)
  for (const id of [adopted, told]) {
    const { attempt, failures } = await hive.message(id, ({ state }) => state === 'queued')
    assert.deepEqual([attempt, failures], [1, 0])
  }
  const asked = hive.model.requests.length

  await hive.kill()
  await hive.start()
  const later = await hive.host()
  assert.equal((await later.status({})).stopped?.reason, 'fire')
  await later.spawn({ name: 'late' })
  const { id: first } = await later.send({ to: 'late', body: 'say first' })
  // A deploy needs no turn to find that an agent is well.
  const { id, sha } = await propose(hive, 'bob', { 'agent.json': '{"model":"opus"}' })
  await approve(hive, id)
  assert.equal((await hive.decided(id)).state, 'deployed')
  for (const name of ['manager', 'alice', 'bob', 'late']) await hive.agent(name, ({ state }) => state === 'paused')
  const states = await Promise.all([adopted, told, first, held].map((id) => hive.message(id, () => true)))
  assert.deepEqual(
    states.map(({ state }) => state),
    ['queued', 'queued', 'queued', 'queued'],
  )
  assert.equal(hive.model.requests.length, asked)

  await later.resume_all({})
  assert.equal((await later.status({})).stopped, null)
  for (const id of [adopted, told, first]) assert.equal((await hive.message(id, isDone)).failures, 0)
  assert.equal((await hive.agent('bob', ({ state }) => state === 'idle')).sha, sha)
  assert.equal((await hive.message(held, () => true)).attempt, 0)
  assert.equal((await hive.agent('paused', ({ state }) => state === 'paused')).paused?.reason, 'mine')
  await later.resume({ agent: 'paused' })
  await hive.message(held, isDone)
})

test('an emergency stop that the daemon did not see through is seen through by its successor', {
  timeout: 120_000,
}, async () => {
  await using hive = await startTestHive()
  const host = await hive.host()
  await host.spawn({ name: 'alice' })
  const { id } = await host.send({ to: 'alice', body: 'stall' })
  await hive.model.waitForRequest(({ agent }) => agent === 'alice')
  const { harness } = hive.processes('alice')
  // It cannot hear of the stop before the daemon is gone.
  process.kill(harness, 'SIGSTOP')
  await host.stop_all({})
  await hive.kill()
  process.kill(harness, 'SIGCONT')
  await hive.start()
  await hive.agent('alice', ({ state }) => state === 'paused')
  const queued = await hive.message(id, () => true)
  assert.deepEqual([queued.state, queued.failures], ['queued', 0])
  await (await hive.host()).resume_all({})
  assert.equal((await hive.message(id, isDone)).failures, 0)
})

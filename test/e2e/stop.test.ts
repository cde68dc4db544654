import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestHive, type TestHive } from '../hive.ts'

/** What becomes of a turn when its agent is told to stop. */
describe('an agent that is stopped while it works', { timeout: 120_000, concurrency: 2 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive()
  })
  after(() => hive[Symbol.asyncDispose]())

  /** Gives a new agent a message and waits until its model was asked. */
  const begin = async (agent: string, body: string) => {
    const host = await hive.host()
    await host.spawn({ name: agent })
    const { id } = await host.send({ to: agent, body })
    await hive.model.waitForRequest((request) => request.agent === agent)
    return { host, id }
  }
  const look = (id: number) => hive.message(id, () => true)

  test('ends its turn first; what came meanwhile waits until it is started', async () => {
    const { host, id } = await begin('killed', 'mumble 3000')
    const killing = host.kill({ agent: 'killed' })
    const next = await host.send({ to: 'killed', body: 'say later' })
    await killing
    const done = await look(id)
    assert.deepEqual([done.state, done.attempt, done.failures, done.error], ['done', 1, 0, null])
    assert.equal((await hive.agent('killed', () => true)).state, 'stopped')
    const waiting = await look(next.id)
    assert.deepEqual([waiting.state, waiting.attempt], ['queued', 0])
    await host.start({ agent: 'killed' })
    assert.equal((await hive.message(next.id, ({ state }) => state === 'done')).attempt, 1)
  })

  test('now: gives its message back uncharged, and works on it again when it is started', async () => {
    const { host, id } = await begin('hurried', 'stall')
    await host.kill({ agent: 'hurried', now: true })
    const queued = await look(id)
    assert.deepEqual([queued.state, queued.attempt, queued.failures], ['queued', 1, 0])
    assert.equal((await hive.agent('hurried', () => true)).state, 'stopped')
    await host.start({ agent: 'hurried' })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures, done.error], [2, 0, null])
  })

  test('to be restarted: ends its turn first, then takes what came meanwhile', async () => {
    const { host, id } = await begin('restarted', 'mumble 3000')
    const { harness } = hive.processes('restarted')
    const restarting = host.restart({ agent: 'restarted' })
    const next = await host.send({ to: 'restarted', body: 'say later' })
    await restarting
    const done = await look(id)
    assert.deepEqual([done.state, done.attempt, done.failures], ['done', 1, 0])
    assert.notEqual(hive.processes('restarted').harness, harness)
    const later = await hive.message(next.id, ({ state }) => state === 'done')
    assert.deepEqual([later.attempt, later.failures], [1, 0])
  })

  test('to be restarted now: works on its message again, uncharged', async () => {
    const { host, id } = await begin('again', 'stall')
    await host.restart({ agent: 'again', now: true })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures, done.error], [2, 0, null])
  })

  test('and cancelled meanwhile: ends at once, cancelled', async () => {
    const { host, id } = await begin('both', 'stall')
    const killing = host.kill({ agent: 'both' })
    await host.cancel({ agent: 'both' })
    await killing
    const done = await look(id)
    assert.deepEqual([done.state, done.error, done.failures], ['done', 'cancelled', 0])
  })
})

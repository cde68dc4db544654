import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ModelRequest } from '../../src/demo/model.ts'
import { startTestHive, type TestHive } from '../hive.ts'

const contextOf = ({ body }: ModelRequest): string => JSON.stringify(body.messages)

/** The request in which the model of an agent was told `text`. */
const asked = (hive: TestHive, agent: string, text: string) =>
  hive.model.waitForRequest((request) => request.agent === agent && contextOf(request).includes(text))

describe('a daemon that is started again with other settings', { timeout: 120_000, concurrency: 2 }, () => {
  test('has them taken by the agents that ran on, in the conversation that they had', async () => {
    await using hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'alice' })
    assert.equal((await hive.tell('alice', 'say the old key')).state, 'done')
    const before = hive.processes('alice')
    assert.ok(before.engine)
    await hive.stop()
    await hive.start({ agentEnv: { ANTHROPIC_API_KEY: 'sk-ant-rotated' }, model: 'sonnet' })
    assert.equal((await hive.tell('alice', 'say the new key')).state, 'done')
    const request = await asked(hive, 'alice', 'the new key')
    assert.equal(request.headers['x-api-key'], 'sk-ant-rotated')
    assert.match(request.body.model, /sonnet/)
    assert.match(contextOf(request), /the old key/)
    const now = hive.processes('alice')
    assert.equal(now.harness, before.harness)
    assert.notEqual(now.engine, before.engine)
  })

  test('lets a turn in progress end under the old ones', async () => {
    await using hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'alice' })
    const { id } = await (await hive.host()).send({ to: 'alice', body: 'bash echo begun; sleep 2' })
    await asked(hive, 'alice', 'echo begun')
    await hive.kill()
    await hive.start({ agentEnv: { ANTHROPIC_API_KEY: 'sk-ant-rotated' } })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [1, 0])
    assert.equal((await hive.tell('alice', 'say afterwards')).attempt, 1)
    const keys = hive.model.requests.map((request) => [
      contextOf(request).includes('say afterwards'),
      request.headers['x-api-key'],
    ])
    assert.ok(keys.every(([isAfter, key]) => key === (isAfter ? 'sk-ant-rotated' : 'sk-ant-test')))
  })

  test('wakes no engine that sleeps when nothing has changed', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    await hive.agent('alice', ({ state }) => state === 'idle')
    const { engine } = hive.processes('alice')
    assert.ok(engine)
    process.kill(engine, 'SIGTERM')
    while (hive.processes('alice').engine !== undefined) await sleep(20)
    await hive.stop()
    await hive.start()
    // It is idle once its harness has said how the engine is.
    await hive.agent('alice', ({ state }) => state === 'idle')
    assert.equal(hive.processes('alice').engine, undefined)
    assert.equal((await hive.tell('alice', 'say awake')).state, 'done')
  })
})

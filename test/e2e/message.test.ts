import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestHive } from '../hive.ts'

describe('a message to an agent', { timeout: 120_000 }, () => {
  test('is worked on by the engine in its sandbox, and done', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const { id } = await host.send({ to: 'alice', body: 'bash echo $((40+2)) > /state/answer; cat /state/answer' })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.equal(done.attempt, 1)
    assert.equal(done.error, null)
    const { events } = await host.events({ agent: 'alice', limit: 500 })
    assert.match(JSON.stringify(events), /42/)
  })

  test('is done once although the daemon was killed in the middle of its turn', async () => {
    await using hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'alice' })
    const { id } = await (await hive.host()).send({ to: 'alice', body: 'mumble 2000' })
    await hive.message(id, ({ state }) => state === 'leased')
    await hive.model.asked('mumble 2000')
    const asked = hive.model.requests.length
    await hive.kill()
    await hive.start()
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.equal(done.attempt, 1)
    assert.equal(hive.model.requests.length, asked)
  })
})

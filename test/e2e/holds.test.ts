import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestHive, type TestHive } from '../hive.ts'

describe('agents that are held back', { timeout: 120_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive()
    const host = await hive.host()
    await Promise.all(['alice', 'bob'].map((name) => host.spawn({ name })))
  })
  after(() => hive[Symbol.asyncDispose]())

  const send = async (to: string, body: string) => (await (await hive.host()).send({ to, body })).id
  const isDone = ({ state }: { state: string }) => state === 'done'
  const stateOf = async (id: number) => {
    const { state, attempt, failures } = (await (await hive.host()).message({ id })).message
    return [state, attempt, failures]
  }

  test('one that is paused gets nothing, also from the next daemon, and then what waited', async () => {
    await (await hive.host()).pause({ agent: 'alice', reason: 'too eager' })
    const id = await send('alice', 'say hello')
    await hive.kill()
    await hive.start()
    const { paused } = await hive.agent('alice', ({ state }) => state === 'paused')
    assert.equal(paused?.reason, 'too eager')
    // Others are not held back: what alice has would have been delivered before.
    await hive.tell('bob', 'say hello')
    assert.deepEqual(await stateOf(id), ['queued', 0, 0])
    await (await hive.host()).resume({ agent: 'alice' })
    await hive.message(id, isDone)
    assert.deepEqual(await stateOf(id), ['done', 1, 0])
  })

  test('a pause lets the turn end; with now it is interrupted, and its message comes again', async () => {
    const host = await hive.host()
    const ends = await send('alice', 'mumble 1000')
    await hive.model.asked('mumble 1000')
    await host.pause({ agent: 'alice' })
    await hive.message(ends, isDone)
    await host.resume({ agent: 'alice' })

    const broken = await send('alice', 'stall 60000')
    await hive.model.asked('stall 60000')
    await host.pause({ agent: 'alice', now: true })
    await hive.message(broken, ({ state }) => state === 'queued')
    assert.deepEqual(await stateOf(broken), ['queued', 1, 0])
    await hive.agent('alice', ({ state }) => state === 'paused')
    await host.resume({ agent: 'alice' })
    await hive.message(broken, isDone)
    assert.deepEqual(await stateOf(broken), ['done', 2, 0])
  })

  test('an emergency stop interrupts every turn and holds everybody back, until it is taken back', async () => {
    const host = await hive.host()
    const bodies = ['stall 70000', 'stall 80000']
    const broken = [await send('alice', bodies[0] as string), await send('bob', bodies[1] as string)]
    for (const body of bodies) await hive.model.asked(body)
    assert.deepEqual(await host.stop_all({ reason: 'fire' }), { interrupted: 2 })
    for (const id of broken) await hive.message(id, ({ state }) => state === 'queued')
    await hive.kill()
    await hive.start()
    const again = await hive.host()
    assert.equal((await again.status({})).stopped?.reason, 'fire')
    await again.spawn({ name: 'carol' })
    const waits = await send('carol', 'say hello')
    await again.restart({ agent: 'bob' })
    for (const name of ['alice', 'bob', 'carol']) await hive.agent(name, ({ state }) => state === 'paused')
    const asked = hive.model.requests.length
    assert.deepEqual(await Promise.all([...broken, waits].map(stateOf)), [
      ['queued', 1, 0],
      ['queued', 1, 0],
      ['queued', 0, 0],
    ])
    assert.equal(hive.model.requests.length, asked)
    await again.resume_all({})
    for (const id of [...broken, waits]) await hive.message(id, isDone)
    assert.equal((await again.status({})).stopped, null)
  })

  test('a turn that went on while the daemon was away is interrupted when its harness is back', async () => {
    const host = await hive.host()
    const id = await send('alice', 'stall 90000')
    await hive.model.asked('stall 90000')
    await host.pause({ agent: 'bob' })
    await host.stop_all({})
    await hive.kill()
    await hive.start()
    await hive.message(id, ({ state }) => state === 'queued')
    await (await hive.host()).resume_all({})
    await hive.message(id, isDone)
    // Who was paused by name stays so.
    await hive.agent('bob', ({ state }) => state === 'paused')
    await (await hive.host()).resume({ agent: 'bob' })
    const { entries } = await (await hive.host()).audit({ limit: 3 })
    assert.deepEqual(
      entries.map(({ verb }) => verb),
      ['stop_all', 'resume_all', 'resume'],
    )
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { HelperEvent } from '../../src/wire/events.ts'
import { MANAGER } from '../../src/wire/names.ts'
import { startTestHive, type TestHive } from '../hive.ts'

/**
 * What the manager is told, each in its scenario and once. `operator_answered` is in questions.test.ts, `needs_update` in
 * update.test.ts: they need a manager that asks, and other programs.
 */
describe('the manager is told, once each,', { timeout: 180_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive({ speedup: 10 })
  })
  after(() => hive[Symbol.asyncDispose]())

  /** What it was told so far of an agent, or of a message or chain of it. */
  const told = async (about: string): Promise<HelperEvent[]> => {
    const { messages } = await (await hive.host()).messages({ agent: MANAGER, limit: 1000 })
    return messages
      .filter(({ from, to }) => from === 'system' && to === MANAGER)
      .map(({ body }) => JSON.parse(body) as HelperEvent)
      .filter((event) => JSON.stringify(event).includes(`"${about}"`))
  }
  /** Resolves once that is so; whatever else it was told of the agent by then fails the test. */
  const isTold = async (about: string, ...events: HelperEvent['event'][]): Promise<HelperEvent[]> => {
    for (;;) {
      const found = await told(about)
      if (found.length >= events.length) {
        // In the order of their commits, which two of one decision need not keep.
        assert.deepEqual(found.map(({ event }) => event).sort(), [...events].sort())
        return found
      }
      const host = await hive.host()
      const { cursor } = await host.messages({ limit: 1 })
      await host.messages({ after: cursor, wait_seconds: 0.2 })
    }
  }
  const spawn = async (name: string) => {
    const host = await hive.host()
    await host.spawn({ name })
    return host
  }

  test('of requests: approved, denied', async () => {
    const host = await hive.host()
    const asked = await host.request_spawn({ name: 'asked' })
    await host.approve({ id: asked.approval.id, base: null, sha: null })
    await hive.decided(asked.approval.id)
    await isTold('asked', 'approval_resolved', 'spawned')
    const denied = await host.request_spawn({ name: 'denied' })
    await host.deny({ id: denied.approval.id, reason: 'not now' })
    const [event] = await isTold('denied', 'approval_resolved')
    assert.ok(event?.event === 'approval_resolved' && event.status === 'denied' && event.note === 'not now')
  })

  test('of what the operator does: rebuild, kill, destroy', async () => {
    const host = await spawn('handled')
    await host.rebuild({ agent: 'handled' })
    await isTold('handled', 'rebuilt')
    await host.kill({ agent: 'handled', now: true })
    await isTold('handled', 'rebuilt', 'killed')
    await host.destroy({ agent: 'handled' })
    await isTold('handled', 'rebuilt', 'killed', 'destroyed')
  })

  test('of a container that crashed', async () => {
    await spawn('crashed')
    process.kill(hive.processes('crashed').harness, 'SIGKILL')
    await isTold('crashed', 'container_crash')
  })

  test('of a login that was refused, and of one that works', async () => {
    const host = await spawn('lockedout')
    hive.model.failNext({ fault: 'unauthorized' }, { agent: 'lockedout', times: 6 })
    const { id } = await host.send({ to: 'lockedout', body: 'say hello' })
    await hive.agent('lockedout', ({ state }) => state === 'needs_login')
    await isTold('lockedout', 'needs_login')
    hive.model.forgive()
    await host.unpark({ agent: 'lockedout' })
    await hive.message(id, ({ state }) => state === 'done')
    await isTold('lockedout', 'needs_login', 'logged_in')
  })

  test('of an agent that is parked', async () => {
    const host = await spawn('broke')
    hive.model.failNext({ fault: 'credit' }, { agent: 'broke', times: 2 })
    const { id } = await host.send({ to: 'broke', body: 'say hello' })
    await isTold('broke', 'agent_parked')
    hive.model.forgive()
    await host.unpark({ agent: 'broke' })
    await hive.message(id, ({ state }) => state === 'done')
    await isTold('broke', 'agent_parked')
  })

  test('of a message that is dead, as its sender is', async () => {
    await spawn('sender')
    await spawn('refuser')
    await hive.tell('sender', 'send refuser fault refuse')
    const [dead] = await isTold('refuser', 'message_dead')
    assert.ok(dead?.event === 'message_dead' && dead.from === 'sender')
    const { messages } = await (await hive.host()).messages({ agent: 'sender', limit: 100 })
    const news = messages.filter(({ from, body }) => from === 'system' && body.includes('message_dead'))
    assert.equal(news.length, 1)
  })

  test('of a chain that is paused', async () => {
    const host = await spawn('ping')
    await host.spawn({ name: 'pong' })
    const { id } = await host.send({ to: 'ping', body: 'loop pong' })
    for (;;) {
      const { messages } = await host.messages({ agent: MANAGER, limit: 1000 })
      const news = messages
        .filter(({ from }) => from === 'system')
        .map(({ body }) => JSON.parse(body) as HelperEvent)
        .filter((event) => event.event === 'chain_paused' && event.rootId === id)
      assert.ok(news.length <= 1)
      if (news.length === 1) break
      const { cursor } = await host.messages({ limit: 1 })
      await host.messages({ after: cursor, wait_seconds: 0.2 })
    }
    await host.allow({ root: id, stop: true })
  })

  test('and nothing of all that twice, also after the daemon was killed', async () => {
    const all = ['asked', 'denied', 'handled', 'crashed', 'lockedout', 'broke', 'refuser']
    const before = await Promise.all(all.map(told))
    await hive.kill()
    await hive.start()
    await Promise.all(['asked', 'crashed', 'broke'].map((name) => hive.agent(name, ({ state }) => state === 'idle')))
    assert.deepEqual(await Promise.all(all.map(told)), before)
  })
})

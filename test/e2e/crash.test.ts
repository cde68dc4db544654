import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { HelperEvent } from '../../src/wire/events.ts'
import { MANAGER } from '../../src/wire/names.ts'
import { startTestHive, type TestHive } from '../hive.ts'

type Crash = Extract<HelperEvent, { event: 'container_crash' }>

describe('the manager is told of crashes', { timeout: 120_000 }, () => {
  let hive: TestHive
  before(async () => {
    // Five ends in a minute are a crash loop, and none waits for long.
    hive = await startTestHive({ speedup: 10 })
  })
  after(() => hive[Symbol.asyncDispose]())

  /** What the manager was told, oldest first. */
  const crashesOf = async (agent: string): Promise<Crash[]> => {
    const { messages } = await (await hive.host()).messages({ agent: MANAGER, limit: 1000 })
    return messages
      .filter(({ from, to }) => from === 'system' && to === MANAGER)
      .map(({ body }) => JSON.parse(body) as HelperEvent)
      .filter((event): event is Crash => event.event === 'container_crash' && event.agent === agent)
  }
  const crash = async (agent: string) => {
    const { harness } = hive.processes(agent)
    process.kill(harness, 'SIGKILL')
    return harness
  }
  /** Undefined while it has none. */
  const harnessOf = (agent: string): number | undefined => {
    try {
      return hive.processes(agent).harness
    } catch {
      return undefined
    }
  }
  const isBack = (agent: string, former: number) =>
    hive.agent(agent, ({ state }) => state === 'idle' && ![undefined, former].includes(harnessOf(agent)))
  const told = async (agent: string, count: number): Promise<Crash[]> => {
    for (;;) {
      const crashes = await crashesOf(agent)
      if (crashes.length >= count) return crashes
      const call = await hive.host()
      const { cursor } = await call.messages({ limit: 1 })
      await call.messages({ after: cursor, wait_seconds: 0.2 })
    }
  }

  test('once for an episode, with how it ended; again when somebody has started it since', async () => {
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const first = await crash('alice')
    const [event] = await told('alice', 1)
    assert.match(event?.note ?? '', /^killed by SIGKILL; it is started again/)
    await isBack('alice', first)
    await isBack('alice', await crash('alice'))
    assert.equal((await crashesOf('alice')).length, 1)
    await host.restart({ agent: 'alice' })
    await crash('alice')
    assert.equal((await told('alice', 2)).length, 2)
  })

  test('once for a crash loop, which ends as failed and waits for the operator', async () => {
    const host = await hive.host()
    await host.spawn({ name: 'bob' })
    for (let ends = 0; ends < 5; ends += 1) {
      const former = await crash('bob')
      if (ends < 4) await isBack('bob', former)
    }
    const { detail } = await hive.agent('bob', ({ state }) => state === 'failed')
    assert.match(detail ?? '', /ended 5 times/)
    const needs = (await host.needs({})).needs.flatMap((need) => ('agent' in need ? [[need.kind, need.agent]] : []))
    assert.deepEqual(needs, [['failed', 'bob']])
    assert.equal((await crashesOf('bob')).length, 1)
    await host.start({ agent: 'bob' })
    assert.deepEqual((await host.needs({})).needs, [])
  })

  test('not of what the operator does', async () => {
    const host = await hive.host()
    await host.spawn({ name: 'carol' })
    await host.restart({ agent: 'carol', now: true })
    await host.kill({ agent: 'carol', now: true })
    await host.start({ agent: 'carol' })
    await host.destroy({ agent: 'carol' })
    assert.deepEqual(await crashesOf('carol'), [])
  })

  test('of one that happened while the daemon was away, and of none twice', async () => {
    await (await hive.host()).spawn({ name: 'dave' })
    await hive.kill()
    const former = await crash('dave')
    await hive.start()
    await isBack('dave', former)
    await told('dave', 1)
    await hive.kill()
    await hive.start()
    await hive.agent('dave', ({ state }) => state === 'idle')
    assert.equal((await crashesOf('dave')).length, 1)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FaultStep } from '../../src/demo/scenario.ts'
import { createIntervals } from '../../src/host/intervals.ts'
import { HelperEvent } from '../../src/wire/events.ts'
import { startTestHive, type TestHive } from '../hive.ts'

const SPEEDUP = 20
const { retryFirstMs, quotaSpreadMs } = createIntervals(SPEEDUP)
const AGENTS = Array.from({ length: 8 }, (_, at) => `agent-${at + 1}`)

/** Eight agents with the real engine, and an API that is not to be had. */
describe('an outage', { timeout: 240_000 }, () => {
  let hive: TestHive
  before(async () => {
    // With a login, so that the engine tells a quota from other refusals.
    hive = await startTestHive({
      agentEnv: { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-test' },
      speedup: SPEEDUP,
      slots: AGENTS.length + 1,
      hangSeconds: 10,
    })
    const host = await hive.host()
    await Promise.all(AGENTS.map((name) => host.spawn({ name })))
    await Promise.all(AGENTS.map((name) => hive.tell(name, 'say hello')))
  })
  after(() => hive[Symbol.asyncDispose]())

  const sendToAll = async () => {
    const host = await hive.host()
    const sent = AGENTS.flatMap((to) => [1, 2].map((n) => host.send({ to, body: `say ${n}` })))
    return (await Promise.all(sent)).map(({ id }) => id)
  }
  const allEnd = (ids: readonly number[]) =>
    Promise.all(ids.map((id) => hive.message(id, ({ state }) => state === 'done' || state === 'dead')))
  const newsOfParks = async () =>
    (await (await hive.host()).messages({ agent: 'manager', limit: 1000 })).messages
      .filter(({ from, to }) => from === 'system' && to === 'manager')
      .map(({ body }) => HelperEvent.parse(JSON.parse(body)))
      .filter((event) => event.event === 'agent_parked')

  // What one delivery of a message costs: the engine tries once more by itself, some faults also without streaming.
  const outages: [FaultStep['fault'], number][] = [
    ['rate_limited', 2],
    ['overloaded', 2],
    ['server_error', 2],
    ['reset', 4],
    ['mid_error', 4],
  ]
  for (const [fault, requestsPerTry] of outages) {
    test(`of everybody (${fault}) loses nothing, charges nobody, and is asked ever more seldom`, async () => {
      const before = hive.model.requests.length
      hive.model.failNext({ fault }, { times: 100_000 })
      const began = performance.now()
      const ids = await sendToAll()
      const firsts = ids.filter((_, at) => at % 2 === 0)
      await Promise.all(firsts.map((id) => hive.message(id, ({ attempt }) => attempt >= 3)))
      const lastedMs = performance.now() - began
      hive.model.forgive()
      const asked = hive.model.requests.length - before
      // Each wait is at least half of a time that doubles.
      const mostTries = 2 + Math.log2(1 + (2 * lastedMs) / retryFirstMs)
      assert.ok(asked <= AGENTS.length * mostTries * requestsPerTry, `${asked} requests in ${lastedMs} ms`)
      assert.ok(asked >= AGENTS.length * 3 - 1)
      for (const { state, failures, error } of await allEnd(ids)) {
        assert.deepEqual([state, failures, error], ['done', 0, null])
      }
    })
  }

  test('in which the model falls silent charges each message once at most, and all are done', async () => {
    for (const agent of AGENTS) hive.model.failNext({ fault: 'stall' }, { agent })
    const ended = await allEnd(await sendToAll())
    assert.deepEqual([...new Set(ended.map(({ state }) => state))], ['done'])
    assert.equal(ended.filter(({ failures }) => failures === 1).length, AGENTS.length)
  })

  test('for want of a quota ends for all within a while, not at once; the manager is told once each, whatever is killed', async () => {
    const resetsInSeconds = 15
    const toldBefore = (await newsOfParks()).length
    for (const agent of AGENTS) hive.model.failNext({ fault: 'quota', resetsInSeconds }, { agent })
    const ids = await sendToAll()
    const parked = await Promise.all(AGENTS.map((name) => hive.agent(name, ({ parked }) => parked !== null)))
    const untils = parked.map(({ parked }) => parked?.until ?? 0)
    assert.deepEqual([...new Set(parked.map(({ parked }) => parked?.reason))], ['quota'])
    assert.equal(new Set(untils).size, AGENTS.length, 'all at the same moment')
    assert.deepEqual((await (await hive.host()).needs({})).needs, [], 'nobody need act')
    await hive.kill()
    await hive.start()
    const again = await Promise.all(AGENTS.map((name) => hive.agent(name, () => true)))
    assert.deepEqual(
      again.map(({ parked }) => parked?.until),
      untils,
    )
    // One does not wait, and finds nothing changed: that is no news.
    const [impatient] = AGENTS as [string]
    hive.model.failNext({ fault: 'quota', resetsInSeconds }, { agent: impatient })
    await (await hive.host()).unpark({ agent: impatient })
    await hive.agent(impatient, ({ parked }) => parked !== null && parked.until !== untils[0])
    const ended = await allEnd(ids)
    assert.deepEqual([...new Set(ended.map(({ state, failures }) => `${state} ${failures}`))], ['done 0'])
    const news = (await newsOfParks()).slice(toldBefore)
    assert.deepEqual(news.map(({ agent }) => agent).sort(), AGENTS)
    for (const { agent, reason, until } of news) {
      assert.deepEqual([reason, until], ['quota', untils[AGENTS.indexOf(agent)]])
    }
    // The second of an agent is delivered when it goes on, so none before the quota was free.
    const resets = Math.min(...untils)
    assert.ok(Math.max(...untils) - resets <= quotaSpreadMs + 5_000)
    for (const { attempt, doneAt } of ended.filter(({ to }) => to !== impatient).filter((_, at) => at % 2 === 0)) {
      assert.equal(attempt, 2)
      assert.ok((doneAt ?? 0) >= resets)
    }
  })
})

describe('an engine that does not react', { timeout: 120_000 }, () => {
  test('is ended with its container, and its message comes again', async () => {
    await using hive = await startTestHive({ hangSeconds: 2 })
    const host = await hive.host()
    await host.spawn({ name: 'frozen' })
    const { id } = await host.send({ to: 'frozen', body: 'bash test -e once || { touch once; kill -STOP $PPID; }' })
    const done = await hive.message(id, ({ state }) => state === 'done' || state === 'dead')
    assert.deepEqual([done.state, done.attempt, done.failures], ['done', 2, 1])
    assert.equal((await hive.tell('frozen', 'say well')).attempt, 1)
  })
})

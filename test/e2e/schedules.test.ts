import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Scenario } from '../../src/demo/scenario.ts'
import { connectOps } from '../../src/kit/op-client.ts'
import { agentOps } from '../../src/wire/agent-ops.ts'
import type { Message } from '../../src/wire/things.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { approve, propose } from '../proposals.ts'

/** Sets a reminder when it is told to, and says what the clock told it. */
const punctual: Scenario = {
  about: 'remind SECONDS',
  rules: [
    {
      body: '^remind (?<seconds>\\d+)$',
      do: [
        { call: 'mcp__hyperhive__remind', with: { message: 'stand up', in_seconds: '{#seconds}' } },
        { say: '{result}' },
      ],
    },
    {
      standing: 'system',
      body: '"event":"(?<event>reminder|scheduled)".*"message":"(?<text>[^"]*)"',
      do: [{ say: '{event}: {text}' }],
    },
    { do: [{ say: 'Noted.' }] },
  ],
}

/** With real agents: each is woken by the clock, once. */
describe('what is due by the clock', { timeout: 400_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive({}, { scenarios: { alice: punctual, bob: punctual } })
    const host = await hive.host()
    await Promise.all(['alice', 'bob'].map((name) => host.spawn({ name })))
  })
  after(() => hive?.[Symbol.asyncDispose]())

  const told = async (agent: string, event: string): Promise<Message[]> => {
    const { messages } = await (await hive.host()).messages({ agent, limit: 1000 })
    return messages.filter(
      ({ from, to, body }) => from === 'system' && to === agent && JSON.parse(body).event === event,
    )
  }
  /** The message with the event that comes after so many others. */
  const tells = async (agent: string, event: string, before: number): Promise<Message> => {
    for (;;) {
      const message = (await told(agent, event))[before]
      if (message) return message
      const host = await hive.host()
      const { cursor } = await host.messages({ limit: 1 })
      await host.messages({ after: cursor, wait_seconds: 0.2 })
    }
  }
  /** Over alice's socket, as whatever runs in her sandbox may. */
  const remind = async (in_seconds: number) => {
    await using connection = await connectOps(agentOps, join(hive.runDir, 'agents/alice/mcp.sock'))
    return await connection.call.remind({ message: 'stand up', in_seconds })
  }

  test('an agent sets a reminder with its tool, ends its turn, and is woken by it', async () => {
    const { id } = await hive.tell('alice', 'remind 2')
    assert.match(await hive.output('alice', id), /^\{"id":\d+,"at":"20[^"]+Z"\}$/)
    const reminder = await tells('alice', 'reminder', 0)
    assert.equal(await hive.output('alice', reminder.id), 'reminder: stand up')
    assert.deepEqual((await (await hive.host()).reminders({})).reminders, [])
  })

  test('the operator sees reminders and takes them back, an agent only its own', async () => {
    const { id } = await remind(3600)
    const host = await hive.host()
    const { reminders } = await host.reminders({ agent: 'alice' })
    assert.deepEqual(
      reminders.map((one) => [one.id, one.agent, one.message]),
      [[id, 'alice', 'stand up']],
    )
    await using bob = await connectOps(agentOps, join(hive.runDir, 'agents/bob/mcp.sock'))
    assert.deepEqual(await bob.call.reminders({}), { reminders: [] })
    await assert.rejects(bob.call.cancel_reminder({ id }), { code: 'not_found' })
    await host.cancel_reminder({ id })
    await assert.rejects(host.cancel_reminder({ id }), { code: 'not_found' })
    const { entries } = await host.audit({ agent: 'alice' })
    assert.equal(entries.filter(({ verb }) => verb === 'cancel_reminder').length, 1)
  })

  test('a reminder that is due while the daemon is down is told when it is back', async () => {
    const { at } = await remind(1)
    await hive.stop()
    while (Date.now() < Date.parse(at)) await sleep(20)
    await hive.start()
    const { id } = await tells('alice', 'reminder', 1)
    await hive.message(id, ({ state }) => state === 'done')
  })

  test('a daemon that is killed while it tells of a reminder tells of it once', async () => {
    await hive.stop()
    await hive.start(undefined, 'reminder.told')
    // The daemon may end before it answers.
    await remind(1).catch(() => {})
    await hive.ended()
    await hive.start()
    const { id } = await tells('alice', 'reminder', 2)
    await hive.message(id, ({ state }) => state === 'done')
    const host = await hive.host()
    while ((await host.reminders({})).reminders.length > 0) await sleep(20)
    assert.equal((await told('alice', 'reminder')).length, 3)
  })

  test('an agent is woken by its schedule once that is approved, also when the daemon is killed meanwhile', async () => {
    const every = (message: string) => ({
      'agent.json': JSON.stringify({ schedules: [{ cron: '* * * * *', message }] }),
    })
    await assert.rejects(
      propose(hive, 'bob', { 'agent.json': '{"schedules":[{"cron":"61 * * * *","message":"m"}]}' }),
      { code: 'bad_input', message: /schedules\[0\]\.cron: Invalid value for minute: 61/ },
    )
    const { id } = await propose(hive, 'bob', every('look'))
    assert.deepEqual((await (await hive.host()).schedules({})).schedules, [])
    await approve(hive, id)
    assert.equal((await hive.decided(id)).state, 'deployed')
    const [schedule] = (await (await hive.host()).schedules({ agent: 'bob' })).schedules
    assert.deepEqual([schedule?.cron, schedule?.message, schedule?.lastAt], ['* * * * *', 'look', null])

    await hive.stop()
    await hive.start(undefined, 'schedule.told')
    await hive.ended()
    await hive.start()
    const { id: message, body } = await tells('bob', 'scheduled', 0)
    assert.equal(await hive.output('bob', message), 'scheduled: look')
    await tells('bob', 'scheduled', 1)
    const dueTimes = (await told('bob', 'scheduled')).map((one) => JSON.parse(one.body).dueAt)
    assert.deepEqual(dueTimes, [...new Set(dueTimes)])
    assert.equal(dueTimes[0], JSON.parse(body).dueAt)
    assert.ok(dueTimes.every((at) => at % 60_000 === 0))

    const next = await propose(hive, 'bob', { 'agent.json': '{}' })
    await approve(hive, next.id)
    assert.equal((await hive.decided(next.id)).state, 'deployed')
    const host = await hive.host()
    while ((await host.schedules({})).schedules.length > 0) await sleep(20)
    assert.deepEqual((await host.status({})).errors, [])
  })
})

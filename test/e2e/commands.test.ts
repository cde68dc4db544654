import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ModelRequest } from '../../src/demo/model.ts'
import type { StoredEvent } from '../../src/wire/events.ts'
import { startTestHive, type TestHive } from '../hive.ts'

const contextOf = ({ body }: ModelRequest): string => JSON.stringify(body.messages)

/** What the operator tells an agent besides messages, and what he sees of it. */
describe('the operator’s commands', { timeout: 120_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive()
    const host = await hive.host()
    await Promise.all(['alice', 'bob'].map((name) => host.spawn({ name })))
  })
  after(() => hive[Symbol.asyncDispose]())

  /** The request in which the model of an agent was told `text`. */
  const asked = (agent: string, text: string) =>
    hive.model.waitForRequest((request) => request.agent === agent && contextOf(request).includes(text))
  /** Waits for a note that an agent's harness wrote. */
  const noted = async (agent: string, text: string) => {
    for (let after = 0; ; ) {
      const page = await (await hive.host()).events({ agent, after, wait_seconds: 30, limit: 500 })
      after = page.cursor
      if (page.events.some(({ event }) => event.kind === 'note' && event.text === text)) return
    }
  }

  test('while an agent thinks, its turn, its mail and its slot are shown; when it is done, nothing is left', async () => {
    const host = await hive.host()
    const first = await host.send({ to: 'alice', body: 'stall' })
    await asked('alice', 'stall')
    const second = await host.send({ to: 'alice', body: 'say second' })
    const thinking = await hive.agent('alice', ({ state }) => state === 'thinking')
    assert.deepEqual(thinking.turn?.messages, [first.id])
    assert.equal(thinking.unread, 2)
    const { slots, messages } = await host.status({})
    assert.equal(slots.used, 1)
    assert.deepEqual([messages.leased, messages.queued], [1, 1])

    await host.cancel({ agent: 'alice' })
    assert.equal((await hive.message(first.id, ({ state }) => state === 'done')).error, 'cancelled')
    assert.equal((await hive.message(second.id, ({ state }) => state === 'done')).error, null)
    const idle = await hive.agent('alice', ({ state }) => state === 'idle')
    assert.deepEqual([idle.turn, idle.unread, idle.lastTurn?.reason], [null, 0, 'ok'])
    assert.equal((await host.status({})).slots.used, 0)
  })

  test('a cancel without a turn touches nothing that comes later', async () => {
    await (await hive.host()).cancel({ agent: 'alice' })
    const done = await hive.tell('alice', 'say not cancelled')
    assert.deepEqual([done.state, done.error], ['done', null])
  })

  test('a message that comes right after a cancel is worked on, also when the model was waiting for one', async () => {
    const host = await hive.host()
    for (const round of ['once', 'twice', 'thrice']) {
      const waiting = await host.send({ to: 'alice', body: 'recv 180' })
      await hive.message(waiting.id, ({ state }) => state === 'leased')
      // A recv within a turn gives its slot back.
      while ((await host.status({})).slots.used > 0) await sleep(10)
      await host.cancel({ agent: 'alice' })
      const next = await host.send({ to: 'alice', body: `say seen ${round}` })
      assert.equal((await hive.message(waiting.id, ({ state }) => state === 'done')).error, 'cancelled')
      assert.equal((await hive.message(next.id, ({ state }) => state === 'done')).error, null)
      await asked('alice', `seen ${round}`)
    }
  })

  test('compacting shortens the context; the session goes on', async () => {
    await hive.tell('bob', 'say before the compaction')
    await (await hive.host()).compact({ agent: 'bob' })
    await noted('bob', 'compacted')
    await hive.tell('bob', 'say after it')
    const context = contextOf(await asked('bob', 'after it'))
    assert.match(context, /The conversation so far, in short/)
    assert.doesNotMatch(context, /before the compaction/)
  })

  test('a fresh session knows nothing of the old one', async () => {
    await (await hive.host()).new_session({ agent: 'bob' })
    await noted('bob', 'a fresh session begins')
    await hive.tell('bob', 'say anew')
    assert.doesNotMatch(contextOf(await asked('bob', 'say anew')), /after it|in short/)
  })

  test('a compaction that is asked for within a turn waits for its end', async () => {
    const host = await hive.host()
    const { id } = await host.send({ to: 'bob', body: 'stall' })
    await asked('bob', 'stall')
    await host.compact({ agent: 'bob' })
    assert.equal((await hive.message(id, () => true)).state, 'leased')
    await host.cancel({ agent: 'bob' })
    assert.equal((await hive.message(id, ({ state }) => state === 'done')).error, 'cancelled')
    assert.equal((await hive.tell('bob', 'say that it works')).state, 'done')
  })

  test('a command to an agent that is stopped says how to start it', async () => {
    const host = await hive.host()
    await host.kill({ agent: 'bob' })
    await assert.rejects(host.cancel({ agent: 'bob' }), { code: 'conflict', hint: 'hive start bob' })
    await assert.rejects(host.cancel({ agent: 'nobody' }), { code: 'not_found' })
    await host.start({ agent: 'bob' })
  })

  test('a chosen model holds over restarts of agent and daemon until the default is chosen', async () => {
    const modelAt = async (text: string) => {
      assert.equal((await hive.tell('alice', `say ${text}`)).state, 'done')
      return String((await asked('alice', text)).body.model)
    }
    assert.match(await modelAt('model one'), /haiku/)
    const host = await hive.host()
    assert.deepEqual(await host.model({ agent: 'alice', model: 'sonnet' }), { model: 'sonnet', source: 'operator' })
    assert.match(await modelAt('model two'), /sonnet/)
    await host.restart({ agent: 'alice' })
    assert.match(await modelAt('model three'), /sonnet/)
    await hive.stop()
    await hive.start()
    assert.match(await modelAt('model four'), /sonnet/)
    const again = await hive.host()
    assert.deepEqual(await again.model({ agent: 'alice', model: 'default' }), { model: 'haiku', source: 'default' })
    assert.match(await modelAt('model five'), /haiku/)
    assert.match(contextOf(await asked('alice', 'model five')), /model one/)
  })

  test('events are complete and in order, also those of a turn that the daemon missed', async () => {
    const { id } = await (await hive.host()).send({ to: 'alice', body: 'mumble 1500' })
    await asked('alice', 'mumble 1500')
    await hive.kill()
    await hive.start()
    await hive.message(id, ({ state }) => state === 'done')
    const host = await hive.host()
    const all: StoredEvent[] = []
    const ofTurn = () => {
      const begin = all.findIndex(({ event }) => event.kind === 'turn_start' && event.messages[0]?.id === id)
      return begin < 0 ? [] : all.slice(begin)
    }
    while (!ofTurn().some(({ event }) => event.kind === 'turn_end')) {
      const page = await host.events({ agent: 'alice', after: all.at(-1)?.seq ?? 0, limit: 500, wait_seconds: 30 })
      all.push(...page.events)
    }
    assert.ok(!all.some(({ event }) => event.kind === 'gap'))
    for (const [before, one] of all.slice(1).map((event, at) => [all[at], event] as const)) {
      assert.ok(before && one.seq > before.seq)
      if (one.epoch === before.epoch) assert.equal(one.n, before.n + 1)
    }
    const turn = ofTurn()
    assert.equal(new Set(turn.map(({ epoch }) => epoch)).size, 1)
    assert.deepEqual(
      turn.filter(({ event }) => event.kind !== 'stream').map(({ event }) => event.kind),
      ['turn_start', 'turn_end'],
    )
  })
})

describe('what an agent does', { timeout: 60_000 }, () => {
  test('is seen when it changes, not with the next heartbeat', async () => {
    await using hive = await startTestHive({ silentSeconds: 900 })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    await hive.tell('alice', 'say something')
    hive.model.failNext({ fault: 'stall' }, { agent: 'alice' })
    await host.compact({ agent: 'alice' })
    await hive.agent('alice', ({ state }) => state === 'compacting')
    await host.cancel({ agent: 'alice' })
    await hive.agent('alice', ({ state }) => state === 'idle')
  })
})

describe('an engine that is not kept', { timeout: 60_000, concurrency: 2 }, () => {
  for (const keepWarmSeconds of [0, 0.3]) {
    test(`ends ${keepWarmSeconds} s after its turn; the next message goes on with its session`, async () => {
      await using hive = await startTestHive({ keepWarmSeconds })
      const host = await hive.host()
      await host.spawn({ name: 'alice' })
      const ended = async () => {
        while (hive.processes('alice').engine !== undefined) await sleep(20)
      }
      assert.equal((await hive.tell('alice', 'say the first')).state, 'done')
      await ended()
      assert.equal((await hive.tell('alice', 'bash echo second')).state, 'done')
      await ended()
      const context = contextOf(
        await hive.model.waitForRequest((one) => one.agent === 'alice' && contextOf(one).includes('echo second')),
      )
      assert.match(context, /say the first/)
      assert.equal((await hive.agent('alice', ({ state }) => state === 'idle')).lastTurn?.reason, 'ok')
    })
  }
})

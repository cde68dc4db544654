import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FaultStep } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import type { Need } from '../../src/wire/things.ts'
import { startTestHive, type TestHive } from '../hive.ts'

/** Every way a turn can end, and what becomes of its message, as the operator sees it. One agent each: none has a past. Quotas: outages.test.ts. */
describe('the end of a turn', { timeout: 120_000, concurrency: 3 }, () => {
  let hive: TestHive
  before(async () => {
    // With a login, so that the engine tells a quota from other refusals.
    hive = await startTestHive({ agentEnv: { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-test' }, hangSeconds: 2 })
  })
  after(() => hive[Symbol.asyncDispose]())

  const needs = async (holds: (need: Need) => boolean) => (await (await hive.host()).needs({})).needs.filter(holds)
  const needsOf = (agent: string) => needs((need) => 'agent' in need && need.agent === agent)
  const deadLetter = (id: number) => needs((need) => need.kind === 'dead_letter' && need.message.id === id)
  const spawn = async (name: string) => {
    const host = await hive.host()
    await host.spawn({ name })
    return host
  }
  /** The model of one agent fails at everything until the returned function ends that. */
  const breakModel = (agent: string, fault: FaultStep): (() => void) => {
    broken.set(agent, fault)
    const play = () =>
      hive.model.setScenarios({
        default: obey,
        ...Object.fromEntries([...broken].map(([label, step]) => [label, { rules: [{ do: [step] }] }])),
      })
    play()
    return () => {
      broken.delete(agent)
      play()
    }
  }
  const broken = new Map<string, FaultStep>()

  test('well: the message is done at its first attempt', async () => {
    await spawn('well')
    const done = await hive.tell('well', 'say hello')
    assert.deepEqual([done.state, done.attempt, done.failures, done.error], ['done', 1, 0, null])
    const { lastTurn } = await hive.agent('well', ({ state }) => state === 'idle')
    assert.equal(lastTurn?.reason, 'ok')
  })

  test('cancelled by the operator: done, and says so; the next message is worked on', async () => {
    const host = await spawn('cancelled')
    const { id } = await host.send({ to: 'cancelled', body: 'stall' })
    await hive.model.waitForRequest(({ agent }) => agent === 'cancelled')
    await host.cancel({ agent: 'cancelled' })
    const done = await hive.message(id, ({ state }) => state !== 'leased')
    assert.deepEqual([done.state, done.error, done.failures], ['done', 'cancelled', 0])
    assert.equal((await hive.tell('cancelled', 'say still here')).state, 'done')
  })

  test('login refused: once again, then it waits for the operator, and goes on where it was', async () => {
    const host = await spawn('auth')
    const mend = breakModel('auth', { fault: 'unauthorized' })
    const { id } = await host.send({ to: 'auth', body: 'say hello' })
    const parked = await hive.agent('auth', ({ state }) => state === 'needs_login')
    assert.equal(parked.parked?.reason, 'login')
    const waiting = await hive.message(id, ({ state }) => state === 'queued')
    assert.deepEqual([waiting.attempt, waiting.failures], [2, 0])
    assert.deepEqual(
      (await needsOf('auth')).map(({ kind }) => kind),
      ['login'],
    )
    mend()
    await host.unpark({ agent: 'auth' })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [3, 0])
    await hive.agent('auth', ({ state }) => state === 'idle')
    assert.deepEqual(await needsOf('auth'), [])
  })

  for (const [name, fault] of [
    ['busy', 'overloaded'],
    ['broken', 'server_error'],
    ['cutoff', 'reset'],
  ] as const) {
    test(`${fault}: again later, and nobody is charged`, async () => {
      const host = await spawn(name)
      // The engine asks twice by itself.
      hive.model.failNext({ fault }, { agent: name, times: 2 })
      const { id } = await host.send({ to: name, body: 'say hello' })
      await hive.agent(name, ({ state }) => state === 'waiting')
      const done = await hive.message(id, ({ state }) => state === 'done')
      assert.deepEqual([done.attempt, done.failures, done.error], [2, 0, null])
    })
  }

  test('no credit: it waits for the operator', async () => {
    const host = await spawn('billing')
    const mend = breakModel('billing', { fault: 'credit' })
    const { id } = await host.send({ to: 'billing', body: 'say hello' })
    const { parked } = await hive.agent('billing', ({ state }) => state === 'parked')
    assert.deepEqual([parked?.reason, parked?.until], ['billing', undefined])
    const [need] = await needsOf('billing')
    assert.deepEqual([need?.kind, need?.actions], ['parked', ['hive unpark billing']])
    mend()
    await host.unpark({ agent: 'billing' })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [2, 0])
  })

  test('prompt too long: compacted, then a fresh session, then dead', async () => {
    const host = await spawn('long')
    assert.equal((await hive.tell('long', 'say a first turn')).state, 'done')
    breakModel('long', { fault: 'prompt_too_long' })
    const dead = await hive.tell('long', 'say hello')
    assert.deepEqual([dead.state, dead.attempt], ['dead', 1])
    assert.match(dead.error ?? '', /^prompt_too_long/)
    assert.equal((await deadLetter(dead.id)).length, 1)
    const { events } = await host.events({ agent: 'long', limit: 500 })
    const notes = events.flatMap(({ event }) => (event.kind === 'note' ? [event.text] : []))
    assert.match(notes.join('\n'), /compacting.*fresh session/s)
  })

  for (const [name, fault] of [
    ['wrong', 'bad_request'],
    ['nomodel', 'no_such_model'],
    ['refused', 'refuse'],
  ] as const) {
    test(`${fault}: refused for good, so the message is dead at once`, async () => {
      const host = await spawn(name)
      const dead = await hive.tell(name, `fault ${fault}`)
      assert.deepEqual([dead.state, dead.attempt], ['dead', 1])
      assert.match(dead.error ?? '', /^refused/)
      assert.equal((await deadLetter(dead.id)).length, 1)
      await host.drop({ id: dead.id })
      assert.deepEqual(await deadLetter(dead.id), [])
    })
  }

  test('engine killed in the middle: a failure, and again', async () => {
    const host = await spawn('crash')
    const { id } = await host.send({ to: 'crash', body: 'bash test -e once || { touch once; kill -9 $PPID; }' })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [2, 1])
  })

  test('engine silent: a failure, and again', async () => {
    const host = await spawn('hang')
    hive.model.failNext({ fault: 'stall' }, { agent: 'hang' })
    const { id } = await host.send({ to: 'hang', body: 'say hello' })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [2, 1])
  })

  test('a message that always kills the engine is dead at the third; its sender and the manager hear of it once, the others go on', async () => {
    const host = await spawn('poisoned')
    await host.spawn({ name: 'poisoner' })
    await host.send({ to: 'poisoner', body: 'send poisoned bash test -e antidote || kill -9 $PPID' })
    const [poison] = (await host.messages({ agent: 'poisoned', after: 0, wait_seconds: 30 })).messages
    assert.equal(poison?.from, 'poisoner')
    const behind = await host.send({ to: 'poisoned', body: 'say later' })
    const dead = await hive.message(poison.id, ({ state }) => state === 'dead')
    assert.deepEqual([dead.attempt, dead.failures], [3, 3])
    assert.equal((await hive.message(behind.id, ({ state }) => state === 'done')).attempt, 1)
    const { messages } = await host.messages({ limit: 1000 })
    const told = messages.filter(({ from, body }) => from === 'system' && body.includes(`"id":${poison.id},`))
    assert.deepEqual(told.map(({ to }) => to).sort(), ['manager', 'poisoner'])
    assert.equal((await deadLetter(poison.id)).length, 1)

    await hive.tell('poisoned', 'bash touch antidote')
    await host.requeue({ id: poison.id })
    assert.equal((await hive.message(poison.id, ({ state }) => state === 'done')).error, null)
    assert.deepEqual(await deadLetter(poison.id), [])
  })
})

import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createLog } from '../../kit/log.ts'
import { containerName, MANAGER } from '../../wire/names.ts'
import { Programs } from '../agents/programs.ts'
import { ORDINARY_USER, WAITS } from '../agents/supervised-in-test.ts'
import { config, type Options, openApprovalsInTest } from '../approvals/approvals-in-test.ts'
import { makeAgentDirectories } from '../layout.ts'
import { ManagerNews } from '../manager-news.ts'
import { AutoUpdate } from './auto-update.ts'

const [OLD, CURRENT] = ['r0', 'r1']
const BY_OPERATOR = { now: true, by: 'operator' } as const

/** A hive whose manager, alice and `more` agents run with the programs before the current ones. */
async function openOldHive(options: Options = {}, more = 0) {
  /** Which programs containers were started with, in order. */
  const starts: string[] = []
  const apps = new Map<string, string>()
  const hive = await openApprovalsInTest({
    healthMs: 300,
    ...options,
    bend: (runtime) => ({
      async apply(spec, deployment) {
        apps.set(spec.name, spec.app)
        await runtime.apply(spec, deployment)
      },
      async start(name) {
        starts.push(`${name} ${apps.get(name)}`)
        return runtime.start(name)
      },
    }),
  })
  const { layout, registry, programs, lifecycle } = hive
  symlinkSync(programs.current.directory, join(layout.apps, OLD))
  const names = Array.from({ length: more }, (_, n) => `b${n}`)
  for (const [n, name] of names.entries()) {
    await registry.create(name, 0)
    makeAgentDirectories(layout, name, n + 2, ORDINARY_USER)
  }
  const deployment = { reference: '', revision: '' }
  const all = ['alice', MANAGER, ...names]
  const statuses = all.map((name) => ({ name: containerName(name), state: 'running', app: OLD, deployment }) as const)
  await programs.adopt(all, statuses)
  for (const name of all) await lifecycle.restart(name, { now: true, by: 'system' })
  starts.length = 0
  const log = createLog('silent')
  const news = new ManagerNews({ ...hive, log })
  return {
    ...hive,
    starts,
    autoUpdate: (isOn = true) => new AutoUpdate({ ...hive, news, isOn, log }),
    /** What an agent was told since the restart by which the test began. */
    async told(agent: string) {
      const { messages } = await hive.broker.store.list({ agent, limit: 100 })
      const facts = messages
        .filter(({ to, from }) => to === agent && from === 'system')
        .map(({ body }) => JSON.parse(body))
      return facts.filter(({ reason }) => reason !== 'you were restarted by the system')
    },
    app: async (agent: string) => (await hive.fake.list()).find(({ name }) => name === containerName(agent))?.app,
  }
}

describe('a rebuild', { timeout: 60_000 }, () => {
  test('puts an agent on the current programs, and tells it and the manager once', async () => {
    await using hive = await openOldHive()
    assert.deepEqual([await hive.app('alice'), hive.programs.isStale('alice')], [OLD, true])
    await hive.rebuild.rebuild('alice', BY_OPERATOR)
    assert.deepEqual([await hive.app('alice'), hive.programs.isStale('alice')], [CURRENT, false])
    assert.deepEqual(
      (await hive.told('alice')).map(({ event, reason }) => [event, reason]),
      [['started', 'you were rebuilt by the operator']],
    )
    const sha = hive.main()
    assert.deepEqual(await hive.told(MANAGER), [{ event: 'rebuilt', agent: 'alice', ok: true, sha }])
    const { entries } = hive.audit.list({ agent: 'alice', limit: 10 })
    assert.deepEqual(
      entries.map(({ actor, verb, detail }) => [actor, verb, detail]),
      [['operator', 'rebuild', { revision: CURRENT }]],
    )
  })

  test('of an agent that is not well with them brings back what it had, and delivers nothing meanwhile', async () => {
    await using hive = await openOldHive({ behaves: (_, revision) => (revision === CURRENT ? 'broken_tools' : 'well') })
    await hive.broker.send('operator', { to: 'alice', body: 'x' })
    await assert.rejects(
      hive.rebuild.rebuild('alice', BY_OPERATOR),
      /alice is as before: its tool servers do not start/,
    )
    assert.deepEqual(hive.starts, ['h-alice r1', 'h-alice r0'])
    assert.equal(await hive.app('alice'), OLD)
    assert.match(hive.programs.failure('alice')?.detail ?? '', /tool servers/)
    const [fact] = await hive.told(MANAGER)
    assert.deepEqual([fact.event, fact.ok], ['rebuilt', false])
    assert.match((await hive.told('alice'))[0].reason, /you could not be rebuilt by the operator, and run with what/)
    // It has its mail again.
    const epoch = hive.broker.store.epoch('alice')
    const [message] = await hive.broker.recv('alice', { epoch, waitMs: 5_000, signal: WAITS })
    assert.deepEqual([message?.body, message?.attempt], ['x', 1])
  })

  test('that failed is not forgotten by the next daemon, until the programs are others', async () => {
    await using hive = await openOldHive({ behaves: (_, revision) => (revision === CURRENT ? 'silent' : 'well') })
    await assert.rejects(hive.rebuild.rebuild('alice', BY_OPERATOR), { code: 'timeout' })
    const again = (revision: string) =>
      new Programs({ db: hive.db, apps: hive.layout.apps, current: { directory: '', revision } })
    assert.deepEqual(
      again(CURRENT)
        .failed(['alice', MANAGER])
        .map(({ agent, revision }) => [agent, revision]),
      [['alice', CURRENT]],
    )
    assert.deepEqual(again('r2').failed(['alice']), [])
    assert.equal(again('r2').of('alice').revision, OLD)
  })

  test('of an agent that is stopped tries it, and leaves it stopped', async () => {
    await using hive = await openOldHive()
    await hive.lifecycle.kill('alice', { now: true })
    await hive.rebuild.rebuild('alice', BY_OPERATOR)
    assert.equal(await hive.running(), 'stopped')
    assert.equal(hive.programs.isStale('alice'), false)
    assert.deepEqual(await hive.told('alice'), [])
  })

  test('whose configuration cannot be built touches nothing that runs', async () => {
    await using hive = await openOldHive()
    await hive.secrets.set('token', 'x')
    const proposal = await hive.propose(config({ env: { TOKEN: { secret: 'token' } } }))
    assert.equal((await hive.deploy(proposal)).state, 'deployed')
    await hive.secrets.remove('token')
    hive.starts.length = 0
    await assert.rejects(hive.rebuild.rebuild('alice', BY_OPERATOR), /alice is as before: .*secrets that are not set/)
    assert.deepEqual(hive.starts, [])
  })

  test('of nobody is refused', async () => {
    await using hive = await openOldHive()
    await assert.rejects(hive.rebuild.rebuild('carol', BY_OPERATOR), { code: 'not_found' })
    assert.equal(hive.registry.has('carol'), false)
  })
})

describe('the update after a start of the daemon', { timeout: 120_000 }, () => {
  test('begins with the manager and goes on one by one; nobody is told, nobody woken', async () => {
    await using hive = await openOldHive({}, 3)
    await using update = hive.autoUpdate()
    update.begin()
    await update.done
    assert.deepEqual(
      hive.starts,
      [MANAGER, 'alice', 'b0', 'b1', 'b2'].map((name) => `${containerName(name)} ${CURRENT}`),
    )
    for (const name of hive.registry.names()) assert.deepEqual(await hive.told(name), [])
  })

  test('tries a revision that no agent is well with once for each of twenty, one at a time', async () => {
    await using hive = await openOldHive(
      { healthMs: 20_000, behaves: (_, revision) => (revision === CURRENT ? 'broken_tools' : 'well') },
      18,
    )
    for (let daemon = 0; daemon < 2; daemon++) {
      await using one = hive.autoUpdate()
      one.begin()
      await one.done
    }
    const names = [MANAGER, ...hive.registry.names().filter((name) => name !== MANAGER)].map(containerName)
    assert.deepEqual(
      hive.starts,
      names.flatMap((name) => [`${name} ${CURRENT}`, `${name} ${OLD}`]),
    )
    const facts = await hive.told(MANAGER)
    assert.deepEqual(
      facts.map(({ event, agent }) => `${event} ${containerName(agent)}`),
      names.map((name) => `needs_update ${name}`),
    )
    assert.match(facts[0].note, /tool servers do not start/)
  })

  test('tells the manager once of agents that nobody updates by himself', async () => {
    await using hive = await openOldHive()
    for (let daemon = 0; daemon < 2; daemon++) {
      await using update = hive.autoUpdate(false)
      update.begin()
      await update.done
    }
    assert.deepEqual(hive.starts, [])
    assert.deepEqual(
      (await hive.told(MANAGER)).map(({ event, agent }) => [event, agent]),
      [
        ['needs_update', MANAGER],
        ['needs_update', 'alice'],
      ],
    )
  })

  test('kicks an agent whose turn it interrupted, and no other', async () => {
    await using hive = await openOldHive()
    await hive.broker.send('operator', { to: 'alice', body: 'x' })
    const epoch = hive.broker.store.epoch('alice')
    const [held] = await hive.broker.recv('alice', { epoch, waitMs: 0, signal: WAITS })
    await using update = hive.autoUpdate()
    update.begin()
    await update.done
    assert.equal((await hive.broker.store.get(held?.id as number))?.failures, 0)
    assert.deepEqual(
      (await hive.told('alice')).map(({ reason }) => reason),
      ['you were updated to the programs of this hive'],
    )
    assert.deepEqual(await hive.told(MANAGER), [])
  })
})

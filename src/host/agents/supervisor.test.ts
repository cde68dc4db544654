import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { DEFAULT_AGENT_CONFIG } from '../../wire/agent-config.ts'
import { DEPLOYED, openSupervised, WAITS } from './supervised-in-test.ts'

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await nextTurn()
}

const CONTAINER = 'h-alice'

describe('the supervisor', { timeout: 60_000 }, () => {
  test('begins its watch again when that fails, and says so meanwhile', async () => {
    let watches = 0
    await using hive = await openSupervised(
      (runtime) => ({
        watch(signal) {
          watches += 1
          if (watches > 1) return runtime.watch(signal)
          // biome-ignore lint/correctness/useYield: it fails before it has anything to give
          return (async function* () {
            throw new Error('no inotify')
          })()
        },
      }),
      { lookMs: 20 },
    )
    await hive.supervisor.reconcile()
    await until(() => hive.supervisor.errors().length > 0)
    assert.match(JSON.stringify(hive.supervisor.errors()), /watch over containers.*no inotify/)
    await until(() => hive.supervisor.errors().length === 0)
    assert.equal(watches, 2)
    const first = await hive.nextLife()
    await hive.fake.kill(CONTAINER)
    await hive.nextLife(first)
  })

  test('sees an end that nobody told of, and takes back what was leased', async () => {
    await using hive = await openSupervised(() => ({ watch: () => (async function* () {})() }), { lookMs: 20 })
    await hive.supervisor.reconcile()
    const first = await hive.nextLife()
    const id = await hive.lease()
    await hive.fake.kill(CONTAINER)
    await hive.nextLife(first)
    const { state, failures } = (await hive.broker.store.get(id)) ?? {}
    assert.deepEqual([state, failures], ['queued', 1])
  })

  test('shows what the runtime says is wrong with a container, as long as it says so', async () => {
    let problem: string | undefined = 'its record cannot be read'
    await using hive = await openSupervised(
      (fake) => ({ list: async () => (await fake.list()).map((status) => ({ ...status, problem })) }),
      { lookMs: 20 },
    )
    await hive.supervisor.reconcile()
    await until(() => hive.supervisor.errors().length > 0)
    assert.deepEqual(
      hive.supervisor.errors().map(({ where, problem }) => [where, problem]),
      [[`container ${CONTAINER}`, problem]],
    )
    problem = undefined
    await until(() => hive.supervisor.errors().length === 0)
  })

  test('tries again when an end could not be dealt with', async () => {
    await using hive = await openSupervised(() => ({}), { lookMs: 20 })
    await hive.supervisor.reconcile()
    const first = await hive.nextLife()
    const reclaim = hive.broker.reclaim.bind(hive.broker)
    hive.broker.reclaim = async () => {
      throw new Error('the disk is full')
    }
    await hive.fake.kill(CONTAINER)
    await until(() => hive.supervisor.errors().length > 0)
    hive.broker.reclaim = reclaim
    await hive.nextLife(first)
    await until(() => hive.supervisor.errors().length === 0)
  })

  test('starts a container again that ended while it was being adopted', async () => {
    let lists = 0
    await using hive = await openSupervised(
      (runtime) => ({
        async list() {
          const found = await runtime.list()
          lists += 1
          if (lists === 1) await runtime.kill(CONTAINER)
          return found
        },
      }),
      { lookMs: 20 },
    )
    await hive.fake.apply(
      { name: CONTAINER, app: 'r1', argv: ['sleep', '600'], env: {}, mounts: [], network: 'none', limits: {} },
      { reference: 'r0', revision: 'none' },
    )
    const { incarnation } = await hive.fake.start(CONTAINER)
    const id = await hive.lease()
    await hive.supervisor.reconcile()
    await hive.nextLife(incarnation)
    assert.deepEqual((await hive.broker.store.get(id))?.failures, 1)
  })

  test('adopts what runs with the deployed configuration, or with none, and starts again what runs with another, or other programs', async () => {
    for (const [revision, app, isLeft] of [
      [DEPLOYED, 'r1', true],
      ['none', 'r1', true],
      ['d'.repeat(40), 'r1', false],
      // As when a daemon was killed while it tried others.
      [DEPLOYED, 'r2', false],
    ] as const) {
      await using hive = await openSupervised()
      await hive.fake.apply(
        { name: CONTAINER, app, argv: ['sleep', '600'], env: {}, mounts: [], network: 'none', limits: {} },
        { reference: 'r0', revision },
      )
      const { incarnation } = await hive.fake.start(CONTAINER)
      await hive.supervisor.reconcile()
      if (isLeft) assert.equal(await hive.life(), incarnation)
      else await hive.nextLife(incarnation)
      const [status] = await hive.fake.list()
      assert.equal(status?.deployment.revision, isLeft ? revision : DEPLOYED)
    }
  })

  test('leaves an agent alone that a deploy has started to try it, though it is to be stopped', async () => {
    let isOnTrial = true
    let looks = 0
    const deployed = { sha: DEPLOYED, reference: 'a', config: DEFAULT_AGENT_CONFIG, directory: '/' }
    await using hive = await openSupervised(
      (fake) => ({
        list() {
          looks += 1
          return fake.list()
        },
      }),
      { lookMs: 10, deployments: { get: () => deployed, find: () => deployed, isOnTrial: () => isOnTrial } },
    )
    await hive.registry.setDesired('alice', 'stopped')
    await hive.supervisor.reconcile()
    await hive.supervisor.start('alice')
    const before = looks
    await until(() => looks > before + 2)
    assert.notEqual(await hive.life(), undefined)
    isOnTrial = false
    while ((await hive.life()) !== undefined) await nextTurn()
  })

  test('goes on when an agent was destroyed before its end was told', async () => {
    await using hive = await openSupervised(() => ({}))
    await hive.supervisor.reconcile()
    await hive.registry.create('bob', 0)
    await hive.registry.destroy('alice')
    await hive.fake.kill(CONTAINER)
    await hive.registry.create('alice', 0)
    await hive.nextLife()
  })

  test('tries a start again that failed', async () => {
    let starts = 0
    await using hive = await openSupervised(
      (runtime) => ({
        async start(name) {
          starts += 1
          if (starts === 2) throw new Error('no space left')
          return runtime.start(name)
        },
      }),
      { lookMs: 20 },
    )
    await hive.supervisor.reconcile()
    const first = await hive.nextLife()
    await hive.fake.kill(CONTAINER)
    await until(() => /no space left/.test(hive.supervisor.failure('alice')?.detail ?? ''))
    assert.equal(hive.supervisor.failure('alice')?.isFinal, false)
    await hive.nextLife(first)
    await until(() => hive.supervisor.failure('alice') === null)
  })

  test('stops what runs although it should not, as often as it takes, and keeps nobody waiting for it', async () => {
    let stops = 0
    await using hive = await openSupervised(
      (runtime) => ({
        async stop(name, options) {
          stops += 1
          if (stops === 1) throw new Error('it does not die')
          return runtime.stop(name, options)
        },
      }),
      { lookMs: 20 },
    )
    await hive.supervisor.start('alice')
    await hive.registry.setDesired('alice', 'stopped')
    await hive.supervisor.reconcile()
    while (await hive.life()) await nextTurn()
    await until(() => hive.supervisor.errors().length === 0)
  })

  test('starts nothing any more once it stops all', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    await using hive = await openSupervised(() => ({}))
    await hive.supervisor.reconcile()
    await hive.nextLife()
    await hive.fake.kill(CONTAINER)
    // From now on a start is planned.
    await until(() => hive.supervisor.failure('alice') !== null)
    await hive.supervisor.stopAll({ now: true })
    t.mock.timers.tick(120_000)
    await assert.rejects(hive.supervisor.start('alice'), { code: 'unavailable' })
    for (let turns = 0; turns < 10; turns++) await nextTurn()
    assert.equal(await hive.life(), undefined)
  })

  test('kills a harness that never says hello', async () => {
    await using hive = await openSupervised(() => ({}), { silentMs: 100 })
    await hive.supervisor.reconcile()
    await hive.nextLife(await hive.nextLife())
  })

  test('takes no harness for silent because it stood still itself', async () => {
    let now = 1_000_000
    let kills = 0
    await using hive = await openSupervised(
      (runtime) => ({
        kill(name) {
          kills += 1
          return runtime.kill(name)
        },
      }),
      { silentMs: 120, now: () => now },
    )
    await hive.supervisor.reconcile()
    await hive.nextLife()
    const link = hive.supervisor.link('alice')
    link.attach({ signal: WAITS, connection: {} }, { epoch: 1, revision: 'r1', deployment: undefined })
    now += 60_000
    await until(() => link.live?.seenAt === now)
    assert.equal(kills, 0)
    // Silence as such still counts.
    for (; kills === 0; now += 10) await sleep(10)
  })
})

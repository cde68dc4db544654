import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '../../kit/log.ts'
import { Broker } from '../broker/broker.ts'
import { SqliteStore } from '../broker/sqlite-store.ts'
import { openFakeRuntime } from '../containers/fake/runtime.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { openHiveDatabase } from '../database.ts'
import { createLayout, makeAgentDirectories, makeHiveDirectories } from '../layout.ts'
import { AgentRegistry } from './registry.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'

const ORDINARY_USER = 1000
const RATE = { perSecond: 1e9, burst: 1e9 }
const WAITS = new AbortController().signal

type Options = Partial<Pick<SupervisorOptions, 'silentMs' | 'lookMs' | 'now'>>

/** A supervisor of alice on the fake runtime; `bend` changes what that does. Its harness is a program that does nothing. */
async function openSupervised(bend: (runtime: ContainerRuntime) => Partial<ContainerRuntime>, options: Options = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'supervisor-'))
  const stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(directory, { recursive: true }))
  const layout = createLayout({ stateDir: join(directory, 'state'), runDir: join(directory, 'run') })
  makeHiveDirectories(layout, ORDINARY_USER)
  symlinkSync(process.execPath, join(directory, 'node'))
  writeFileSync(join(directory, 'harness.mjs'), 'setInterval(() => {}, 1e9)')
  const db = stack.use(openHiveDatabase(':memory:'))
  const registry = new AgentRegistry(db)
  await registry.create('alice', 0)
  makeAgentDirectories(layout, 'alice', 1, ORDINARY_USER)
  const broker = stack.use(
    new Broker({
      store: new SqliteStore({ db, inboxCap: 10, maxHops: 16 }),
      slots: 4,
      sendRate: RATE,
      chainRate: RATE,
      recipients: { active: () => registry.names(), wasDestroyed: () => false },
      now: Date.now,
    }),
  )
  const fake = stack.use(openFakeRuntime())
  const supervisor = stack.use(
    new Supervisor({
      registry,
      broker,
      runtime: { ...fake, ...bend(fake) },
      layout,
      app: { directory, revision: 'r1' },
      network: 'none',
      limits: {},
      dashboardPort: 7000,
      daemonUid: ORDINARY_USER,
      silentMs: 600_000,
      log: createLog('silent'),
      now: Date.now,
      ...options,
    }),
  )
  const life = async () => {
    const [status] = await fake.list()
    return status?.state === 'running' ? status.incarnation : undefined
  }
  return {
    registry,
    broker,
    fake,
    supervisor,
    life,
    /** The next life that is not `former`. */
    async nextLife(former?: string): Promise<string> {
      for (;;) {
        const found = await life()
        if (found !== undefined && found !== former) return found
        await nextTurn()
      }
    },
    /** Gives alice a message that she holds. */
    async lease(): Promise<number> {
      const epoch = await broker.beginEpoch('alice', { charge: false, reason: '' })
      await broker.send('operator', { to: 'alice', body: 'do it' })
      const message = await broker.recv('alice', { epoch, waitMs: 0, signal: WAITS })
      return message?.id as number
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

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
    const { state, failures } = hive.broker.store.get(id) ?? {}
    assert.deepEqual([state, failures], ['queued', 1])
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
      { name: CONTAINER, argv: ['sleep', '600'], env: {}, mounts: [], network: 'none', limits: {} },
      { reference: 'r0', revision: 'none' },
    )
    const { incarnation } = await hive.fake.start(CONTAINER)
    const id = await hive.lease()
    await hive.supervisor.reconcile()
    await hive.nextLife(incarnation)
    assert.deepEqual(hive.broker.store.get(id)?.failures, 1)
  })

  test('goes on when an agent was destroyed before its end was told', async () => {
    await using hive = await openSupervised(() => ({}))
    await hive.supervisor.reconcile()
    await hive.registry.create('bob', 0)
    await hive.registry.destroy('alice', false)
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
    link.attach({ signal: WAITS, connection: {} }, 1, 'r1')
    now += 60_000
    await until(() => link.live?.seenAt === now)
    assert.equal(kills, 0)
    // Silence as such still counts.
    for (; kills === 0; now += 10) await sleep(10)
  })
})

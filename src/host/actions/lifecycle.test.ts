import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createLog } from '../../kit/log.ts'
import { HiveError } from '../../wire/errors.ts'
import type { HarnessLink } from '../agents/harness-link.ts'
import { DEPLOYED, INBOX_CAP, ORDINARY_USER, openSupervised, WAITS } from '../agents/supervised-in-test.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { openEventDatabase } from '../database.ts'
import { EventStore } from '../events/event-store.ts'
import { ManagerNews } from '../manager-news.ts'
import { Kick } from './kick.ts'
import { Lifecycle } from './lifecycle.ts'

/** A harness that leaves when it is told to, or by the function that this gives. */
function sayHello(link: HarnessLink): () => void {
  const gone = new AbortController()
  link.attach({ signal: gone.signal, connection: {} }, { epoch: 1, revision: 'r1', deployment: undefined })
  void link.takeCommands(60_000, gone.signal).then(() => gone.abort())
  return () => gone.abort()
}

/** The lifecycle of alice and the manager; harnesses say hello as soon as their socket is there. `fails` are steps to fail. */
async function openLives(bend?: (runtime: ContainerRuntime) => Partial<ContainerRuntime>) {
  const hive = await openSupervised(bend)
  const fails = new Set<string>()
  const open = new Set<string>()
  const eventDb = openEventDatabase(':memory:')
  const log = createLog('silent')
  await hive.registry.create('manager', 0)
  const lifecycle = new Lifecycle({
    ...hive,
    deployments: { ...hive.deployments, prepare: async () => DEPLOYED, forget: async () => {} },
    repositories: { has: () => true, remove: async () => {} },
    meta: {
      record: async () => {},
      async forget() {
        if (fails.has('meta')) throw new Error('meta is broken')
      },
    },
    events: new EventStore(eventDb),
    news: new ManagerNews({ ...hive, log }),
    kick: new Kick({ ...hive, log }),
    daemonUid: ORDINARY_USER,
    log,
    onRepositoriesChanged: () => {},
    onDestroyed: async () => {},
    onPurged: async () => {},
    async configureGateway() {
      if (fails.has('gateway')) throw new Error('no gateway')
    },
    async openSocket(name) {
      if (fails.has(`socket of ${name}`)) throw new Error('the path is too long')
      open.add(name)
      const leave = sayHello(hive.supervisor.link(name))
      const close = async () => {
        open.delete(name)
        leave()
      }
      return { close, [Symbol.asyncDispose]: close }
    },
  })
  return {
    ...hive,
    lifecycle,
    fails,
    /** Whose sockets are open. */
    open,
    async [Symbol.asyncDispose]() {
      await lifecycle[Symbol.asyncDispose]()
      await hive[Symbol.asyncDispose]()
      eventDb.close()
    },
  }
}

describe('the lifecycle of agents', { timeout: 60_000 }, () => {
  test('goes on with the others when the socket of one cannot be made; started by hand it is made', async () => {
    await using hive = await openLives()
    hive.fails.add('socket of alice')
    await hive.lifecycle.openAll()
    await hive.supervisor.reconcile()
    assert.match(hive.supervisor.failure('alice')?.detail ?? '', /path is too long/)
    assert.equal(hive.supervisor.failure('manager'), null)
    assert.deepEqual([...hive.open], ['manager'])
    await assert.rejects(hive.lifecycle.start('alice', { by: 'operator' }), /path is too long/)
    hive.fails.clear()
    await hive.lifecycle.start('alice', { by: 'operator' })
    assert.equal(hive.supervisor.failure('alice'), null)
    assert.ok(hive.open.has('alice'))
  })

  for (const step of ['socket of bob', 'gateway', 'container']) {
    test(`leaves nothing of an agent whose spawn failed (${step})`, async () => {
      await using hive = await openLives((runtime) => ({
        async start(name) {
          if (step === 'container' && name === 'h-bob') throw new Error('no space')
          return runtime.start(name)
        },
      }))
      hive.fails.add(step)
      await assert.rejects(hive.lifecycle.spawn('bob'))
      const { home, credentials, run, egress } = hive.layout.agent('bob')
      assert.deepEqual([hive.registry.find('bob'), hive.registry.wasDestroyed('bob')], [undefined, false])
      assert.deepEqual([home, credentials, run, egress].filter(existsSync), [])
      assert.ok(!(await hive.fake.list()).some(({ name }) => name === 'h-bob'))
      assert.ok(!hive.open.has('bob'))
    })
  }

  test('leaves the notes of a destroyed agent alone when it cannot be brought back', async () => {
    await using hive = await openLives()
    await hive.lifecycle.start('alice', { by: 'operator' })
    await hive.lifecycle.destroy('alice', { purge: false })
    hive.fails.add('gateway')
    await assert.rejects(hive.lifecycle.spawn('alice'), /no gateway/)
    assert.ok(hive.registry.wasDestroyed('alice'))
    assert.ok(existsSync(hive.layout.agent('alice').state))
  })

  test('stops and destroys an agent although the manager has no room for the news', async () => {
    await using hive = await openLives()
    await hive.lifecycle.start('alice', { by: 'operator' })
    for (let n = 0; n < INBOX_CAP; n++) await hive.broker.send('operator', { to: 'manager', body: 'x' })
    await hive.lifecycle.kill('alice', { now: true })
    assert.equal(hive.registry.get('alice').desired, 'stopped')
    await hive.lifecycle.destroy('alice', { purge: false })
    assert.ok(hive.registry.wasDestroyed('alice'))
  })

  test('starts an agent whose destruction failed half way', async () => {
    await using hive = await openLives()
    await hive.lifecycle.start('alice', { by: 'operator' })
    const { destroy } = hive.registry
    hive.registry.destroy = async () => {
      throw new Error('the disk is full')
    }
    await assert.rejects(hive.lifecycle.destroy('alice', { purge: false }), /disk is full/)
    assert.ok(!hive.open.has('alice'))
    await hive.lifecycle.start('alice', { by: 'operator' })
    assert.ok(hive.open.has('alice'))
    hive.registry.destroy = destroy
    await hive.lifecycle.destroy('alice', { purge: false })
  })

  test('purges notes, login, request log, messages and parking; the slot is free when nothing is left', async () => {
    await using hive = await openLives()
    await hive.lifecycle.start('alice', { by: 'operator' })
    const { home, credentials } = hive.layout.agent('alice')
    const log = join(hive.layout.gateway.log, 'alice.jsonl')
    mkdirSync(hive.layout.gateway.log, { recursive: true })
    writeFileSync(log, '{}')
    const { store } = hive.broker
    const epoch = await hive.broker.beginEpoch('alice', { charge: false, reason: '' })
    await hive.broker.send('operator', { to: 'alice', body: 'x' })
    const [message] = await hive.broker.recv('alice', { epoch, waitMs: 0, signal: WAITS })
    await hive.broker.endTurn('alice', epoch, [message?.id as number], { reason: 'billing', detail: '' }, false)
    assert.ok(store.parked('alice'))

    // A first attempt ends before the row is gone: the slot stays taken, the second one finishes.
    const { purge } = hive.registry
    hive.registry.purge = async () => {
      throw new Error('killed')
    }
    await assert.rejects(hive.lifecycle.destroy('alice', { purge: true }), /killed/)
    assert.deepEqual([home, credentials, log].filter(existsSync), [])
    assert.ok(hive.registry.wasDestroyed('alice'))
    hive.registry.purge = purge
    await hive.lifecycle.destroy('alice', { purge: true })
    assert.ok(!hive.registry.wasDestroyed('alice'))
    assert.equal((await store.get(message?.id as number))?.state, 'dead')
    assert.deepEqual([store.parked('alice'), store.epoch('alice')], [null, 0])
  })

  test('destroys to the end what was destroyed half way, and tells of it once', async () => {
    await using hive = await openLives()
    await hive.lifecycle.start('alice', { by: 'operator' })
    hive.fails.add('meta')
    await assert.rejects(hive.lifecycle.destroy('alice', { purge: false }), /meta is broken/)
    hive.fails.clear()
    await hive.lifecycle.destroy('alice', { purge: false })
    await hive.lifecycle.destroy('alice', { purge: false })
    const told = (await hive.broker.store.list({ agent: 'manager', limit: 10 })).messages.filter(({ body }) =>
      body.includes('destroyed'),
    )
    assert.equal(told.length, 1)
  })

  test('purges on a full disk, and so makes room', async () => {
    await using hive = await openLives()
    await hive.lifecycle.start('alice', { by: 'operator' })
    const { write } = hive.db
    // Only what is essential goes through then.
    hive.db.write = (change, options) =>
      options?.essential ? write(change, options) : Promise.reject(new HiveError('disk_full', 'the disk is full'))
    await hive.lifecycle.destroy('alice', { purge: true })
    assert.ok(!existsSync(hive.layout.agent('alice').home))
    assert.ok(!hive.registry.wasDestroyed('alice'))
  })

  test('restrains an agent harder the second time', async () => {
    await using hive = await openLives()
    await hive.lifecycle.start('alice', { by: 'operator' })
    await hive.lifecycle.restrain('alice', 'disk: it grew')
    assert.deepEqual(
      [hive.registry.get('alice').paused?.reason, hive.registry.get('alice').desired],
      ['disk: it grew', 'running'],
    )
    await hive.lifecycle.restrain('alice', 'disk: it grew again')
    assert.equal(hive.registry.get('alice').desired, 'stopped')
  })
})

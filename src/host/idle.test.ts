import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createLog } from '../kit/log.ts'
import { DEPLOYED, ORDINARY_USER, openSupervised } from './agents/supervised-in-test.ts'
import { Alarm } from './alarm.ts'
import type { ContainerRuntime } from './containers/runtime.ts'
import { openEventDatabase } from './database.ts'
import { EventStore } from './events/event-store.ts'
import { makeAgentDirectories } from './layout.ts'
import { KEEP_DONE_MS, Retention } from './retention.ts'
import { openSchedules } from './schedules/open-schedules.ts'
import { agentHandlers } from './sockets/agent-socket.ts'

const SECOND = 1000
const DAY = 86_400 * SECOND
/** As in a real hive. */
const [LOOK_MS, SILENT_MS, HEARTBEAT_MS, POLL_SECONDS] = [10 * SECOND, 30 * SECOND, 10 * SECOND, 180]
const DEFAULTS = {
  model: 'haiku',
  keepWarmMs: 0,
  hangMs: 1000,
  heartbeatMs: HEARTBEAT_MS,
  checkpointAt: 0.75,
}

test('a hundred agents that wait for a day get no message and no turn, and nobody looks after each by itself', {
  timeout: 120_000,
}, async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const clock = { now: Date.UTC(2026, 5, 1) }
  const now = () => clock.now
  let lists = 0
  const countLists = (runtime: ContainerRuntime): Partial<ContainerRuntime> => ({
    list() {
      lists += 1
      return runtime.list()
    },
  })
  await using hive = await openSupervised(countLists, { now, lookMs: LOOK_MS, silentMs: SILENT_MS })
  const { db, registry, broker, supervisor, layout, deployments } = hive
  // Of a node that does nothing a hundred would fill the memory.
  const node = join(layout.stateDir, '../node')
  rmSync(node)
  writeFileSync(node, '#!/bin/sh\nexec sleep 1000000\n', { mode: 0o755 })
  for (let slot = 2; slot <= 100; slot += 1) {
    await registry.create(`a${slot}`, now())
    makeAgentDirectories(layout, `a${slot}`, slot, ORDINARY_USER)
  }
  await supervisor.reconcile()
  const lives = async () =>
    (await hive.fake.list()).flatMap(({ state, incarnation }) => (state === 'running' ? [incarnation] : []))
  const before = await lives()
  assert.equal(before.length, 100)

  using eventDb = openEventDatabase(':memory:')
  const log = createLog('silent')
  const { schedules, reminders } = openSchedules({
    db,
    registry,
    entriesOf: () => deployments.deployed().config.schedules,
    broker,
    inboxCap: 1000,
    onChange: () => {},
    passes: () => {},
    now,
  })
  const alarm = new Alarm({ sources: [schedules, reminders], deadlineMs: 60 * SECOND, log, now })
  await using _alarm = alarm
  await using _retention = new Retention({
    perishables: [
      { what: 'messages', keepMs: KEEP_DONE_MS, vacuum: (before, limit) => broker.store.vacuum(before, limit) },
    ],
    everyMs: 3600 * SECOND,
    log,
    now,
  })
  const looks = t.mock.method(schedules, 'tellDue')
  alarm.look()

  const closing = new AbortController()
  const received: string[] = []
  const call = () => ({ connection: {}, signal: closing.signal })
  const deps = {
    ...hive,
    ...{ registry, broker, supervisor, deployments, reminders, log, defaults: DEFAULTS },
    events: new EventStore(eventDb),
    secret: () => undefined,
    agentEnv: () => ({}),
  }
  for (const name of registry.names()) {
    const socket = agentHandlers(deps, name)
    const own = call()
    await socket.hello({ revision: 'r1', deployment: DEPLOYED }, own)
    await socket.ready({ claude: 'ok', detail: '', mcp: {} }, own)
    setInterval(() => socket.status({ brain: 'idle' }, own), HEARTBEAT_MS)
    const poll = async () => {
      while (!closing.signal.aborted) {
        const { messages } = await socket.recv({ wait_seconds: POLL_SECONDS, max: 1 }, own)
        received.push(...messages.map(() => name))
      }
    }
    void poll()
  }
  await nextTurn()

  const [listsBefore, looksBefore, start] = [lists, looks.mock.callCount(), now()]
  while (now() < start + DAY) {
    clock.now += LOOK_MS
    t.mock.timers.tick(LOOK_MS)
    await nextTurn()
  }
  // Polls that have just begun anew have a slot until the store has said that there is nothing.
  for (let turns = 0; turns < 1_000 && broker.slotUse().used > 0; turns += 1) await nextTurn()
  assert.deepEqual([received, await broker.store.count()], [[], { queued: 0, leased: 0, done: 0, dead: 0 }])
  assert.deepEqual([await lives(), broker.slotUse().used, supervisor.errors()], [before, 0, []])
  // Once for all of them, as often as it is said.
  assert.ok(lists - listsBefore <= DAY / LOOK_MS, `${lists - listsBefore} looks at containers`)
  assert.ok(looks.mock.callCount() - looksBefore <= DAY / (60 * SECOND), `${looks.mock.callCount()} looks at the clock`)
  assert.ok(lists > listsBefore && looks.mock.callCount() > looksBefore)

  await broker.send('operator', { to: 'a7', body: 'wake up' })
  while (received.length === 0) await nextTurn()
  assert.deepEqual(received, ['a7'])
  closing.abort()
})

import assert from 'node:assert/strict'
import { chmodSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { HiveError } from '../../src/wire/errors.ts'
import { fillDisk, openLoopDisk, whyNoLoopDisk } from '../broker/loop-disk.ts'
import { startTestHive } from '../hive.ts'

/** Node and claude are copied to it. */
const MEBIBYTES = 900

test('a full disk under running agents: turns end, agents can be stopped, nothing dies, all goes on when there is space', {
  timeout: 180_000,
}, async (t) => {
  const why = await whyNoLoopDisk()
  if (why) return t.skip(why)
  await using disk = await openLoopDisk(MEBIBYTES)
  // Agents have uids of their own, which have to get through.
  chmodSync(dirname(disk.path), 0o711)
  await using hive = await startTestHive({}, { stateDir: join(disk.path, 'state') })
  const host = await hive.host()
  await Promise.all(['alice', 'bob'].map((name) => host.spawn({ name })))
  for (const name of ['alice', 'bob']) assert.equal((await hive.tell(name, 'say warm')).state, 'done')
  const before = ['manager', 'alice', 'bob'].map((name) => hive.processes(name).harness)

  const { id } = await host.send({ to: 'alice', body: 'mumble 2000' })
  await hive.model.asked('mumble 2000')
  const filler = join(disk.path, 'filler')
  fillDisk(disk.path, filler)
  await assert.rejects(
    async () => {
      for (;;) await host.send({ to: 'bob', body: 'x'.repeat(60_000) })
    },
    (error) => error instanceof HiveError && error.code === 'disk_full' && error.hint !== undefined,
  )
  await hive.message(id, ({ state }) => state !== 'leased')
  const { errors } = await host.status({})
  assert.ok(
    errors.some(({ where }) => where === 'disk'),
    JSON.stringify(errors),
  )
  await host.kill({ agent: 'bob', now: true })
  assert.equal((await hive.agent('bob', () => true)).state, 'stopped')
  assert.deepEqual(
    ['manager', 'alice'].map((name) => hive.processes(name).harness),
    before.slice(0, 2),
    'no harness died of it',
  )

  rmSync(filler)
  while ((await host.status({})).errors.length > 0) await setTimeout(100)
  await host.send({ to: 'alice', body: 'say there is space' })
  assert.equal((await hive.message(id, ({ state }) => state === 'done')).failures, 0)
  await host.start({ agent: 'bob' })
  assert.equal((await hive.tell('bob', 'say recovered')).error, null)
  await hive.agent('alice', ({ unread }) => unread === 0)
  assert.deepEqual((await host.status({})).errors, [])
})

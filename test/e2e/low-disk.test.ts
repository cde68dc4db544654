import assert from 'node:assert/strict'
import { chmodSync, rmSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { openLoopDisk, whyNoLoopDisk } from '../broker/loop-disk.ts'
import { startTestHive } from '../hive.ts'

/** Node and claude are copied to it. */
const MEBIBYTES = 900
const WRITE = 'for n in $(seq 150); do head -c 2000000 /dev/zero >> /state/big; sleep 0.1; done'

test('an agent that fills the disk is ended before it is full, the others go on, and the operator is told', {
  timeout: 180_000,
}, async (t) => {
  const why = await whyNoLoopDisk()
  if (why) return t.skip(why)
  await using disk = await openLoopDisk(MEBIBYTES)
  // Agents have uids of their own, which have to get through.
  chmodSync(dirname(disk.path), 0o711)
  const stateDir = join(disk.path, 'state')
  await using hive = await startTestHive({ lowDiskMiB: 0 }, { stateDir })
  await Promise.all(['alice', 'bob'].map(async (name) => (await hive.host()).spawn({ name })))
  for (const name of ['alice', 'bob']) assert.equal((await hive.tell(name, 'say warm')).state, 'done')
  await hive.stop()
  const { bavail, bsize } = statfsSync(disk.path)
  const lowDiskMiB = Math.floor((bavail * bsize) / 1024 / 1024) - 60
  await hive.start({ lowDiskMiB, speedup: 100 })

  const host = await hive.host()
  const before = hive.processes('bob').harness
  // What its turn leaves running goes on while it is paused: only its stop ends that.
  await host.send({ to: 'alice', body: `bash setsid sh -c '${WRITE}' > /dev/null 2>&1 &` })
  await hive.agent('alice', ({ state, paused }) => paused !== null && state === 'stopped')
  const { needs } = await host.needs({})
  assert.deepEqual(needs.map(({ kind }) => kind).sort(), ['low_disk', 'paused'])
  assert.equal((await hive.tell('bob', 'say still here')).state, 'done')
  assert.equal(hive.processes('bob').harness, before)

  rmSync(join(stateDir, 'agents', 'alice', 'state', 'big'))
  while ((await host.needs({})).needs.some(({ kind }) => kind === 'low_disk')) await hive.tell('bob', 'say and now?')
  assert.deepEqual((await host.status({})).errors, [])
})

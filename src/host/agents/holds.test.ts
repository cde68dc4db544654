import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHiveDatabase } from '../database.ts'
import { Holds } from './holds.ts'
import { AgentRegistry } from './registry.ts'

const NOW = 1_000

async function openHolds() {
  const db = openHiveDatabase(':memory:')
  const registry = new AgentRegistry(db)
  await registry.create('alice', 0)
  await registry.create('bob', 0)
  /** As another daemon finds them. */
  const again = () => new Holds({ db, registry: new AgentRegistry(db), now: () => NOW })
  return { db, registry, holds: new Holds({ db, registry, now: () => NOW }), again, [Symbol.dispose]: () => db.close() }
}

test('one that is paused is held back, the others are not; the first reason counts', async () => {
  using opened = await openHolds()
  const { holds, registry, again } = opened
  await holds.pause('alice', 'first')
  await holds.pause('alice', 'second')
  assert.deepEqual(registry.get('alice').paused, { since: NOW, reason: 'first' })
  assert.deepEqual([holds.isHeld('alice'), holds.isHeld('bob'), again().isHeld('alice')], [true, false, true])
  await holds.resume('alice')
  assert.deepEqual([holds.isHeld('alice'), again().isHeld('alice')], [false, false])
  await assert.rejects(holds.pause('nobody', ''), { code: 'not_found' })
})

test('an emergency stop holds everybody back, also those to come, until it ends; who was paused stays so', async () => {
  using opened = await openHolds()
  const { holds, again } = opened
  await holds.pause('alice', 'mine')
  await holds.stopAll('fire')
  assert.deepEqual(holds.stopped, { since: NOW, reason: 'fire' })
  assert.deepEqual([holds.isHeld('bob'), holds.isHeld('carol')], [true, true])
  assert.deepEqual(again().stopped, holds.stopped)
  await holds.resumeAll()
  assert.deepEqual([holds.stopped, again().stopped], [null, null])
  assert.deepEqual([holds.isHeld('alice'), holds.isHeld('bob')], [true, false])
})

test('an emergency stop holds although it cannot be stored, and is stored when it is repeated', async () => {
  using opened = await openHolds()
  const { db, holds, again } = opened
  const { write } = db
  db.write = () => Promise.reject(new Error('the disk is full'))
  await assert.rejects(holds.stopAll('fire'))
  assert.ok(holds.isHeld('alice'))
  db.write = write
  await holds.stopAll('fire, again')
  assert.equal(again().stopped?.reason, 'fire')
})

test('one that cannot be read holds on', async () => {
  using opened = await openHolds()
  const { db, again } = opened
  db.run(`INSERT INTO settings VALUES ('stopped', 'yes')`)
  assert.match(String(again().stopped?.reason), /cannot be read/)
})

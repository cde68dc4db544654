import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../kit/log.ts'
import { chooseGrown, DiskWatch, type DiskWatchOptions } from './disk-watch.ts'

const MIB = 1024 * 1024
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('chooses who grew most, and nobody who did not, or came only now', () => {
  const before = new Map([
    ['a', 10 * MIB],
    ['b', 10 * MIB],
    ['c', 500 * MIB],
  ])
  const after = new Map([
    ['a', 12 * MIB],
    ['b', 15 * MIB],
    ['c', 500 * MIB],
    ['new', 900 * MIB],
  ])
  assert.deepEqual(chooseGrown(before, after), { agent: 'b', bytes: 5 * MIB })
  assert.equal(chooseGrown(after, after), undefined)
  assert.equal(chooseGrown(new Map(), after), undefined)
})

/** A disk with agents on it that grow by so much at each look, until they are paused. */
function openDisk(growth: Record<string, number>, more: Partial<DiskWatchOptions> = {}) {
  const sizes = new Map<string, number>()
  const paused: [string, string][] = []
  const disk = { free: 100 * MIB, changes: 0, looks: 0 }
  const watch = new DiskWatch({
    directory: '/state',
    lowBytes: 50 * MIB,
    everyMs: 1,
    agents: () => Object.keys(growth).filter((agent) => !paused.some(([one]) => one === agent)),
    async measure(agent) {
      sizes.set(agent, (sizes.get(agent) ?? 0) + (growth[agent] ?? 0))
      return sizes.get(agent)
    },
    async restrain(agent, reason) {
      paused.push([agent, reason])
    },
    onChange: () => {
      disk.changes += 1
    },
    log: createLog('silent'),
    free: async () => {
      disk.looks += 1
      return disk.free
    },
    now: () => 7,
    ...more,
  })
  const looks = async (count: number) => {
    for (const until = disk.looks + count; disk.looks < until; ) await turn()
  }
  return { disk, watch, paused, looks, [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose]() }
}

test('measures nobody while there is space', { timeout: 10_000 }, async () => {
  await using room = openDisk({ alice: MIB }, { measure: () => Promise.reject(new Error('measured')) })
  await room.looks(5)
  assert.equal(room.watch.low(), null)
  assert.deepEqual(room.watch.errors(), [])
})

test('pauses one after the other, while they grow, and says when there is space again', {
  timeout: 10_000,
}, async () => {
  await using room = openDisk({ alice: 2 * MIB, bob: 9 * MIB, carol: 1 })
  room.disk.free = 40 * MIB
  while (room.paused.length < 2) await turn()
  await room.looks(5)
  assert.deepEqual(
    room.paused.map(([agent]) => agent),
    ['bob', 'alice'],
    'never one that does not grow',
  )
  assert.equal(room.paused[0]?.[1], 'it grew by 9 MiB while the disk was nearly full')
  assert.deepEqual(room.watch.low(), { since: 7, detail: '40 MiB are free for /state, less than 50' })
  assert.equal(room.disk.changes, 1)
  // At the edge it would come and go.
  room.disk.free = 51 * MIB
  await room.looks(3)
  assert.notEqual(room.watch.low(), null)
  room.disk.free = 60 * MIB
  while (room.watch.low() !== null) await turn()
  assert.equal(room.disk.changes, 2)
})

test('a look that fails is shown, and looks go on; who cannot be measured is named', { timeout: 10_000 }, async () => {
  let fails = true
  await using room = openDisk(
    { alice: MIB, huge: 0 },
    {
      measure: async (agent) => {
        if (fails) throw new Error('no du')
        return agent === 'huge' ? undefined : 1
      },
    },
  )
  room.disk.free = 0
  while (room.watch.errors().length === 0) await turn()
  assert.equal(room.watch.errors()[0]?.problem, 'no du')
  fails = false
  while (room.watch.errors().length > 0) await turn()
  assert.match(room.watch.low()?.detail ?? '', /too large to be measured: huge$/)
})

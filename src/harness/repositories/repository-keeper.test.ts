import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { RepositoryKeeper } from './repository-keeper.ts'
import { makeRoom } from './test-room.ts'

const LIMIT_MS = 60_000

describe('RepositoryKeeper', () => {
  test('keeps what was there when it was asked, however often it is asked at once', async () => {
    using room = makeRoom()
    const troubles: string[] = []
    const keeper = new RepositoryKeeper(room.places, (text) => troubles.push(text))
    room.deploy('alice', 0, { 'agent.json': '{}' })
    const first = keeper.keep(LIMIT_MS)
    await Promise.resolve()
    room.deploy('bob', 0, { 'agent.json': '{}' })
    await Promise.all([first, keeper.keep(LIMIT_MS), keeper.keep(LIMIT_MS)])
    assert.deepEqual(readdirSync(room.places.proposed), ['alice', 'bob'])
    assert.deepEqual(troubles, [])
  })

  test('tells a trouble once, and again when it comes back', async () => {
    using room = makeRoom()
    const troubles: string[] = []
    const keeper = new RepositoryKeeper(room.places, (text) => troubles.push(text))
    room.deploy('alice', 0, { 'agent.json': '{}' })
    const place = room.clone('alice')
    mkdirSync(place)
    await keeper.keep(LIMIT_MS)
    await keeper.keep(LIMIT_MS)
    assert.equal(troubles.length, 1)
    rmdirSync(place)
    await keeper.keep(LIMIT_MS)
    assert.ok(existsSync(join(place, 'agent.json')))
    assert.equal(troubles.length, 1)
  })

  test('lets nobody wait longer than asked', async () => {
    using room = makeRoom()
    const keeper = new RepositoryKeeper(room.places, () => {})
    room.deploy('alice', 0, { 'agent.json': '{}' })
    await keeper.keep(0)
    assert.ok(!existsSync(room.clone('alice')), 'it goes on behind')
    await keeper.keep(LIMIT_MS)
    assert.ok(existsSync(room.clone('alice')))
  })
})

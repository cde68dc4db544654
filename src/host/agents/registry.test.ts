import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { HiveError } from '../../wire/errors.ts'
import { openHiveDatabase } from '../database.ts'
import { AgentRegistry } from './registry.ts'

const PAUSED = { since: 5, reason: 'too eager' }

describe('the registry of agents', () => {
  const directory = mkdtempSync(join(tmpdir(), 'registry-'))
  after(() => rmSync(directory, { recursive: true }))
  const open = (name: string) => openHiveDatabase(join(directory, name))

  test('keeps an agent’s slot through its destruction, and gives a purged one’s away', async () => {
    using db = open('slots')
    const registry = new AgentRegistry(db)
    assert.equal((await registry.create('manager', 0)).slot, 0)
    assert.equal((await registry.create('alice', 0)).slot, 1)
    assert.equal((await registry.create('bob', 0)).slot, 2)
    await registry.destroy('alice')
    assert.equal(registry.wasDestroyed('alice'), true)
    assert.equal((await registry.create('carol', 0)).slot, 3)
    assert.equal((await registry.create('alice', 0)).slot, 1)
    await registry.destroy('carol')
    await registry.purge('carol')
    assert.equal(registry.wasDestroyed('carol'), false)
    assert.equal((await registry.create('dave', 0)).slot, 3)
  })

  test('remembers what was chosen for an agent', async () => {
    {
      using db = open('choices')
      const registry = new AgentRegistry(db)
      await registry.create('alice', 7)
      await registry.setModel('alice', 'opus')
      await registry.setDesired('alice', 'stopped')
      await registry.setPaused('alice', PAUSED)
    }
    using db = open('choices')
    const registry = new AgentRegistry(db)
    const { name, slot, desired, model, createdAt, paused } = registry.get('alice')
    assert.deepEqual([name, slot, desired, model, createdAt, paused], ['alice', 1, 'stopped', 'opus', 7, PAUSED])
    assert.throws(() => registry.get('bob'), { code: 'not_found' })
    await assert.rejects(registry.create('alice', 0), { code: 'conflict' })
  })

  test('changes what was chosen and nothing else, also when two choose at once', async () => {
    {
      using db = open('at-once')
      const registry = new AgentRegistry(db)
      await registry.create('alice', 0)
      await Promise.all([registry.setModel('alice', 'opus'), registry.setDesired('alice', 'stopped')])
      const { model, desired } = registry.get('alice')
      assert.deepEqual([model, desired], ['opus', 'stopped'])
    }
    using db = open('at-once')
    const { model, desired } = new AgentRegistry(db).get('alice')
    assert.deepEqual([model, desired], ['opus', 'stopped'])
  })

  test('takes that an agent is to stay down also when the disk is full', async () => {
    using db = openHiveDatabase(join(directory, 'full'))
    await new AgentRegistry(db).create('alice', 0)
    const registry = new AgentRegistry({
      ...db,
      write: (change, options) =>
        options?.essential ? db.write(change, options) : Promise.reject(new HiveError('disk_full', 'full')),
    })
    await registry.setDesired('alice', 'stopped')
    assert.equal(registry.get('alice').desired, 'stopped')
    await assert.rejects(registry.setModel('alice', 'opus'), { code: 'disk_full' })
  })

  test('shows a row that it cannot read, and goes on with the others', async () => {
    {
      using db = open('broken')
      const registry = new AgentRegistry(db)
      await registry.create('alice', 0)
      await registry.create('bob', 0)
    }
    const file = new DatabaseSync(join(directory, 'broken'))
    file.exec(`PRAGMA ignore_check_constraints = ON; UPDATE agents SET desired = 'asleep' WHERE name = 'alice'`)
    file.close()
    using db = open('broken')
    const registry = new AgentRegistry(db)
    assert.deepEqual(registry.names(), ['bob'])
    assert.equal(registry.undecodable[0]?.id, 'alice')
    assert.match(registry.undecodable[0]?.problem ?? '', /desired/)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AuditLog } from './audit-log.ts'
import { openHiveDatabase } from './database.ts'

describe('the audit log', () => {
  it('gives the newest entries, those of an agent or an approval if asked', async () => {
    using db = openHiveDatabase(':memory:')
    let now = 0
    const audit = new AuditLog(db, () => ++now)
    await audit.note({ actor: 'manager', verb: 'request_spawn', agent: 'bob', approval: 1 })
    await audit.note({ actor: 'operator', verb: 'approve', agent: 'bob', approval: 1, detail: { sha: null } })
    await audit.note({ actor: 'operator', verb: 'kill', agent: 'alice' })
    const verbs = (filter: Parameters<typeof audit.list>[0]) => audit.list(filter).entries.map(({ verb }) => verb)
    assert.deepEqual(verbs({ limit: 2 }), ['approve', 'kill'])
    assert.deepEqual(verbs({ limit: 9, agent: 'alice' }), ['kill'])
    assert.deepEqual(verbs({ limit: 9, approval: 1 }), ['request_spawn', 'approve'])
    assert.deepEqual(audit.list({ limit: 1 }).entries[0], {
      id: 3,
      at: 3,
      actor: 'operator',
      verb: 'kill',
      agent: 'alice',
      approval: null,
      detail: {},
    })
  })

  it('cannot be changed, by whoever has the database', async () => {
    using db = openHiveDatabase(':memory:')
    const audit = new AuditLog(db)
    await audit.note({ actor: 'operator', verb: 'kill', agent: 'alice' })
    await assert.rejects(
      db.write(() => db.run(`UPDATE audit SET verb = 'start'`)),
      /append-only/,
    )
    await assert.rejects(
      db.write(() => db.run('DELETE FROM audit')),
      /append-only/,
    )
    assert.deepEqual(
      audit.list({ limit: 9 }).entries.map(({ verb }) => verb),
      ['kill'],
    )
  })

  it('is there exactly when what it tells of is', async () => {
    using db = openHiveDatabase(':memory:')
    const audit = new AuditLog(db)
    const broken = db.write(() => {
      audit.add({ actor: 'operator', verb: 'approve' })
      throw new Error('the other half failed')
    })
    await assert.rejects(broken)
    assert.deepEqual(audit.list({ limit: 9 }).entries, [])
  })

  it('shows what cannot be read beside the rest', async () => {
    using db = openHiveDatabase(':memory:')
    const audit = new AuditLog(db)
    await audit.note({ actor: 'operator', verb: 'kill' })
    await db.write(() => db.run(`INSERT INTO audit (at, actor, verb, detail) VALUES (1, 'operator', 'x', 'no json')`))
    const { entries, errors } = audit.list({ limit: 9 })
    assert.equal(entries.length, 1)
    assert.deepEqual(
      errors.map(({ table, id }) => [table, id]),
      [['audit', '2']],
    )
  })
})

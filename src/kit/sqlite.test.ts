import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import { openDatabase } from './sqlite.ts'

describe('a database', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-'))
  after(() => rmSync(directory, { recursive: true }))
  const MIGRATIONS = ['CREATE TABLE t (v INTEGER PRIMARY KEY, note TEXT) STRICT']
  const open = (name: string, migrations = MIGRATIONS) =>
    openDatabase({ path: join(directory, name), migrations, synchronous: 'FULL' })
  const values = (db: ReturnType<typeof open>) => db.all('SELECT v FROM t ORDER BY v').map(({ v }) => v)

  test('can be read by its owner only, also one that others could read before', async () => {
    const path = join(directory, 'private')
    const umask = process.umask(0o022)
    try {
      writeFileSync(path, '', { mode: 0o644 })
      using db = open('private')
      await db.write(() => db.run('INSERT INTO t (v) VALUES (1)'))
      for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600, file)
    } finally {
      process.umask(umask)
    }
  })

  test('commits the writes of one event-loop turn together, each on its own', async () => {
    using db = open('group')
    const order: number[] = []
    const insert = (v: number) =>
      db.write(() => {
        order.push(v)
        return db.run('INSERT INTO t (v) VALUES (?)', v).lastInsertRowid
      })
    const results = await Promise.allSettled([insert(1), insert(2), insert(2), insert(3)])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(order.slice(-4), [1, 2, 2, 3])
    assert.deepEqual(values(db), [1, 2, 3])
  })

  test('undoes all effects of a write that throws, and says so', async () => {
    using db = open('undo')
    let undone = 0
    db.onRollback(() => {
      undone += 1
    })
    await assert.rejects(
      db.write(() => {
        db.run('INSERT INTO t (v) VALUES (7)')
        throw new Error('no')
      }),
      /no/,
    )
    assert.deepEqual(values(db), [])
    assert.ok(undone > 0)
  })

  test('takes a refusal for what it is: the others of its turn are not done twice', async () => {
    using db = open('refusal')
    const order: number[] = []
    const insert = (v: number) =>
      db.write(() => {
        order.push(v)
        if (v === 2) throw new HiveError('conflict', 'no')
        db.run('INSERT INTO t (v) VALUES (?)', v)
      })
    await Promise.allSettled([insert(1), insert(2), insert(3)])
    assert.deepEqual(order, [1, 2, 3])
    assert.deepEqual(values(db), [1, 3])
  })

  test('refuses a second opener at once', async () => {
    using db = open('alone')
    await db.write(() => db.run('INSERT INTO t (v) VALUES (1)'))
    assert.throws(
      () => open('alone'),
      (error: HiveError) => error.code === 'unavailable' && /another process holds/.test(error.message),
    )
  })

  test('applies each migration once, leaves a half one undone, and refuses the file of a newer program', () => {
    {
      using db = open('migrate')
      assert.deepEqual(values(db), [])
    }
    const broken = [...MIGRATIONS, 'ALTER TABLE t ADD COLUMN w TEXT; INSERT INTO nowhere VALUES (1)']
    assert.throws(() => open('migrate', broken))
    {
      using db = open('migrate')
      assert.equal(db.get('PRAGMA user_version')?.user_version, 1)
      assert.equal(db.all('PRAGMA table_info(t)').length, 2)
    }
    {
      using db = open('migrate', [...MIGRATIONS, 'ALTER TABLE t ADD COLUMN w TEXT'])
      assert.equal(db.all('PRAGMA table_info(t)').length, 3)
    }
    assert.throws(
      () => open('migrate'),
      (error: HiveError) => /newer hyperhive/.test(error.message) && /install/.test(error.hint ?? ''),
    )
  })

  test('refuses a damaged file with what to do, and changes nothing of it', async () => {
    {
      using db = open('damaged')
      for (let v = 0; v < 2000; v += 1)
        void db.write(() => db.run('INSERT INTO t (v, note) VALUES (?, ?)', v, 'x'.repeat(100)))
      await db.write(() => {})
    }
    const file = join(directory, 'damaged')
    const descriptor = openSync(file, 'r+')
    writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, 4096 * 3)
    const before = readFileSync(file)
    assert.throws(
      () => open('damaged'),
      (error: HiveError) =>
        error.code === 'unavailable' && /is damaged/.test(error.message) && /backup/.test(error.hint ?? ''),
    )
    assert.deepEqual(readFileSync(file), before)
    assert.ok(statSync(file).size > 0 && existsSync(file))
  })

  test('is copied while it is written all the time', async () => {
    using db = open('busy')
    const occupy = (v: number) =>
      db.write(() => {
        db.run('INSERT INTO t (v) VALUES (?)', v)
        for (const end = performance.now() + 5; performance.now() < end; );
      })
    for (let v = 0; v < 20; v += 1) await Promise.all([occupy(v), db.backup(join(directory, `copy-${v}`))])
    assert.equal(values(db).length, 20)
    using copy = open('copy-19')
    assert.deepEqual(values(copy).slice(0, 19), values(db).slice(0, 19))
  })

  test('does not call a file damaged that it cannot open for another reason', () => {
    assert.throws(
      () => open('no/such/directory'),
      (error: HiveError) => error.code === 'unavailable' && !/damaged/.test(error.message) && error.hint !== undefined,
    )
  })
})

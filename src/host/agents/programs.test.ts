import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openHiveDatabase } from '../database.ts'
import { Programs } from './programs.ts'
import { AgentRegistry } from './registry.ts'

/** Revision r1 of a hive with alice, and the later ones; `keep` are on the disk. */
async function openRevisions() {
  const apps = mkdtempSync(join(tmpdir(), 'apps-'))
  const db = openHiveDatabase(':memory:')
  await new AgentRegistry(db).create('alice', 0)
  const start = (revision: string) => {
    mkdirSync(join(apps, revision), { recursive: true })
    return new Programs({ db, apps, current: { revision, directory: join(apps, revision) }, wallNow: () => 7 })
  }
  return {
    apps,
    start,
    [Symbol.dispose]() {
      db.close()
      rmSync(apps, { recursive: true })
    },
  }
}

const running = (app?: string) =>
  ({ name: 'h-alice', state: 'running', deployment: { reference: '', revision: '' }, app }) as const

describe('the programs of an agent', () => {
  test('are those that it was made with, until it was well with others', async () => {
    using revisions = await openRevisions()
    await revisions.start('r1').settle('alice')
    const second = revisions.start('r2')
    assert.deepEqual(second.of('alice'), { revision: 'r1', directory: join(revisions.apps, 'r1') })
    assert.deepEqual(second.inUse().sort(), ['r1', 'r2'])
    second.try('alice')
    assert.deepEqual([second.of('alice').revision, second.isStale('alice')], ['r2', true])
    // Killed now, it is on the former ones.
    assert.equal(revisions.start('r2').of('alice').revision, 'r1')
    second.endTrial('alice')
    assert.equal(second.of('alice').revision, 'r1')
    await second.settle('alice')
    assert.deepEqual([second.isStale('alice'), revisions.start('r3').of('alice').revision], [false, 'r2'])
  })

  test('of an older hive are those of its container, while they are there', async () => {
    for (const [app, revision] of [
      ['r1', 'r1'],
      ['lost', 'r2'],
      [undefined, 'r2'],
    ] as const) {
      using revisions = await openRevisions()
      revisions.start('r1')
      const programs = revisions.start('r2')
      await programs.adopt(['alice'], [running(app)])
      assert.equal(programs.of('alice').revision, revision)
      await programs.adopt(['alice'], [running('r2')])
      assert.equal(programs.of('alice').revision, revision)
    }
  })

  test('are the current ones when its own are lost', async () => {
    using revisions = await openRevisions()
    await revisions.start('r1').settle('alice')
    rmSync(join(revisions.apps, 'r1'), { recursive: true })
    const programs = revisions.start('r2')
    assert.deepEqual([programs.of('alice').revision, programs.isStale('alice')], ['r2', false])
  })

  test('that it is not well with are known, until there are others or it is well with them', async () => {
    using revisions = await openRevisions()
    await revisions.start('r1').settle('alice')
    const second = revisions.start('r2')
    await second.fail('alice', 'exit code 3')
    await second.noteTold('alice')
    const again = revisions.start('r2')
    assert.deepEqual(again.failed(['alice', 'bob']), [
      { agent: 'alice', revision: 'r2', since: 7, detail: 'exit code 3' },
    ])
    const third = revisions.start('r3')
    assert.deepEqual([again.isTold('alice'), third.isTold('alice'), third.failed(['alice'])], [true, false, []])
    await again.settle('alice')
    assert.deepEqual([again.failed(['alice']), again.isTold('alice')], [[], false])
  })
})

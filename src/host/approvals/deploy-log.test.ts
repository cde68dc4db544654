import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openHiveDatabase } from '../database.ts'
import { DeployLog } from './deploy-log.ts'

describe('the log of a deploy', () => {
  it('gives lines after a line, of one deploy', async () => {
    using db = openHiveDatabase(':memory:')
    const log = new DeployLog(db, () => 5)
    await log.add(1, 'one\ntwo\n')
    await log.add(2, 'other')
    await log.add(1, 'three')
    assert.deepEqual(log.list(1, 1), [
      { n: 2, at: 5, text: 'two' },
      { n: 3, at: 5, text: 'three' },
    ])
  })

  it('keeps so much of a build that will not stop talking, and says that there was more', async () => {
    using db = openHiveDatabase(':memory:')
    const log = new DeployLog(db)
    await log.add(1, 'x'.repeat(10_000))
    await log.add(1, 'y\n'.repeat(20_000))
    await log.add(1, 'z')
    const lines = log.list(1, 0, 100_000)
    assert.equal(lines.length, 5_000)
    assert.equal(lines[0]?.text.length, 4_000)
    assert.match(lines.at(-1)?.text ?? '', /left out/)
  })
})

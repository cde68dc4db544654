import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDemoHive } from '../demo-hive.ts'

describe('a demo', { timeout: 180_000 }, () => {
  test('goes on when its model was killed, and when a stranger took its port', async () => {
    await using hive = await openDemoHive()
    await hive.start()
    await hive.seeded()
    const before = hive.modelPid()
    process.kill(before, 'SIGKILL')
    assert.equal((await hive.tell('alice', 'say back')).state, 'done')
    assert.notEqual(hive.modelPid(), before)
    while ((await hive.host().status({})).errors.length > 0) await sleep(20)

    const port = readFileSync(hive.portFile, 'utf8')
    await hive.end('SIGKILL')
    process.kill(hive.modelPid(), 'SIGKILL')
    const stranger = createServer((_, response) => response.end('{}'))
    try {
      do {
        stranger.listen(Number(port), '127.0.0.1')
      } while (!(await once(stranger, 'listening').catch(() => false)))
      await hive.start()
      assert.notEqual(readFileSync(hive.portFile, 'utf8'), port)
      assert.equal((await hive.tell('alice', 'say elsewhere')).state, 'done')
    } finally {
      stranger.close()
      stranger.closeAllConnections()
    }
  })
})

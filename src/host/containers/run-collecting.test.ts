import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runCollecting } from './run-collecting.ts'

function makeRoom() {
  const path = mkdtempSync(join(tmpdir(), 'hive-run-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

describe('runCollecting', () => {
  it('passes on the environment it is given and nothing of this process’s', async () => {
    const { stdout } = await runCollecting(['/usr/bin/env'], { A: '1' }, {})
    assert.equal(stdout, 'A=1\n')
  })

  it('loses nothing when this process is kept from running after the command ended', async () => {
    using room = makeRoom()
    const script = '(until [ -e go ]; do sleep 0.01; done; echo late; touch done) & echo first'
    const running = runCollecting(['/bin/sh', '-c', `cd ${room.path}; ${script}`], { PATH: '/usr/bin:/bin' }, {})
    await sleep(50)
    // Not in a timer's own turn: then its output would be looked at before the next timer is.
    setImmediate(() => {
      writeFileSync(join(room.path, 'go'), '')
      const until = performance.now() + 400
      while (performance.now() < until || !existsSync(join(room.path, 'done')));
    })
    assert.equal((await running).stdout, 'first\nlate\n')
  })

  it('says which command cannot be run', async () => {
    await assert.rejects(runCollecting(['/no/such/program'], {}, {}), { code: 'unavailable', message: /no\/such/ })
  })
})

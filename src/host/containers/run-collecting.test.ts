import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runCollecting } from './run-collecting.ts'

describe('runCollecting', () => {
  it('passes on the environment it is given and nothing of this process’s', async () => {
    const { stdout } = await runCollecting(['/usr/bin/env'], { A: '1' }, {})
    assert.equal(stdout, 'A=1\n')
  })

  it('says which command cannot be run', async () => {
    await assert.rejects(runCollecting(['/no/such/program'], {}, {}), { code: 'unavailable', message: /no\/such/ })
  })
})

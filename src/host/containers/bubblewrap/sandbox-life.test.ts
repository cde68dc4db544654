import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeExit } from './sandbox-life.ts'

describe('decodeExit', () => {
  const sameBoot = true

  it('tells codes from signals', () => {
    assert.deepEqual(decodeExit(0, { oomKills: 0, sameBoot }), { code: 0, signal: null, oom: false })
    assert.deepEqual(decodeExit(125, { oomKills: 0, sameBoot }), { code: 125, signal: null, oom: false })
    assert.deepEqual(decodeExit(143, { oomKills: 0, sameBoot }), { code: null, signal: 'SIGTERM', oom: false })
    assert.deepEqual(decodeExit(255, { oomKills: 0, sameBoot }), { code: 255, signal: null, oom: false })
  })

  it('blames memory only for an end that was not well', () => {
    assert.equal(decodeExit(137, { oomKills: 1, sameBoot })?.oom, true)
    assert.equal(decodeExit(1, { oomKills: 1, sameBoot })?.oom, true)
    assert.equal(decodeExit(0, { oomKills: 1, sameBoot })?.oom, false)
    assert.equal(decodeExit(137, { oomKills: 0, sameBoot })?.oom, false)
  })

  it('does not know how one ended that went down with the machine', () => {
    assert.equal(decodeExit(undefined, { oomKills: 0, sameBoot: false }), undefined)
    assert.deepEqual(decodeExit(undefined, { oomKills: 0, sameBoot }), { code: null, signal: 'SIGKILL', oom: false })
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseStatus } from './bwrap-status.ts'

describe('parseStatus', () => {
  it('knows what bwrap has said so far', () => {
    const started = '{ "child-pid": 8052, "pid-namespace": 4026532185 }\n'
    assert.deepEqual(parseStatus(''), { initPid: undefined, exitCode: undefined })
    assert.deepEqual(parseStatus(started), { initPid: 8052, exitCode: undefined })
    assert.deepEqual(parseStatus(`${started}{ "exit-code": 0 }\n`), { initPid: 8052, exitCode: 0 })
  })

  it('waits for the end of a line that is being written', () => {
    assert.deepEqual(parseStatus('{ "child-pid": 80'), { initPid: undefined, exitCode: undefined })
  })

  it('takes any number for an exit code, as the kernel does', () => {
    const exitCodeOf = (code: number) => parseStatus(`{ "exit-code": ${code} }\n`).exitCode
    assert.deepEqual([-2, 256, 300, -1].map(exitCodeOf), [254, 0, 44, 255])
  })

  it('refuses what bwrap would not write', () => {
    assert.throws(() => parseStatus('\0\0\0\n'))
    assert.throws(() => parseStatus('{ "child-pid": -1 }\n'))
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ContainerStatus } from '../runtime.ts'
import { compareStatus } from './life-watch.ts'

const status = (state: ContainerStatus['state'], incarnation?: string, code?: number): ContainerStatus => ({
  name: 'h-a',
  state,
  deployment: { reference: 'a', revision: 'b' },
  incarnation,
  exit: code === undefined ? undefined : { code, signal: null, oom: false },
})
const tell = (before: ContainerStatus | undefined, now: ContainerStatus | undefined): string[] =>
  compareStatus(before, now).map(({ type, incarnation, exit }) => `${type} ${incarnation} ${exit?.code ?? '?'}`)

describe('compareStatus', () => {
  it('tells starts and ends', () => {
    assert.deepEqual(tell(undefined, status('running', 'A')), ['started A ?'])
    assert.deepEqual(tell(status('created'), status('running', 'A')), ['started A ?'])
    assert.deepEqual(tell(status('running', 'A'), status('stopped', 'A', 3)), ['exited A 3'])
    assert.deepEqual(tell(status('stopped', 'A', 3), status('running', 'B')), ['started B ?'])
  })

  it('tells nothing when nothing happened', () => {
    assert.deepEqual(tell(status('running', 'A'), status('running', 'A')), [])
    assert.deepEqual(tell(status('stopped', 'A', 3), status('stopped', 'A', 3)), [])
    assert.deepEqual(tell(undefined, status('created')), [])
  })

  it('misses no life between two looks', () => {
    assert.deepEqual(tell(status('running', 'A'), status('running', 'B')), ['exited A ?', 'started B ?'])
    assert.deepEqual(tell(status('running', 'A'), status('stopped', 'B', 4)), [
      'exited A ?',
      'started B ?',
      'exited B 4',
    ])
    assert.deepEqual(tell(status('created'), status('stopped', 'A', 0)), ['started A ?', 'exited A 0'])
    assert.deepEqual(tell(status('running', 'A'), undefined), ['exited A ?'])
  })
})

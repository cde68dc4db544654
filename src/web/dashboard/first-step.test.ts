import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentOf } from '../agent/agent-in-test.ts'
import { firstSteps } from './first-step.ts'

const done = (state: 'starting' | 'needs_login' | 'idle') =>
  firstSteps({ agents: [agentOf('manager', { role: 'manager', state })], approvals: [] })?.map(({ isDone }) => isDone)

test('a new hive says what it needs next', () => {
  assert.deepEqual(done('starting'), [true, false, false, false])
  assert.deepEqual(done('needs_login'), [true, true, false, false])
  assert.deepEqual(done('idle'), [true, true, true, false])
})

test('with a first agent there is nothing more to say', () => {
  const agents = [agentOf('manager', { role: 'manager' }), agentOf('alice')]
  assert.equal(firstSteps({ agents, approvals: [] }), undefined)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Need } from '../../wire/things.ts'
import { agentOf } from '../agent/agent-in-test.ts'
import { keepOrder, orderAgents } from './agent-order.ts'

const login = (agent: string): Need => ({
  kind: 'login',
  key: `login:${agent}`,
  since: 1,
  link: `/a/${agent}`,
  actions: [],
  agent,
  detail: '',
})

test('the manager, who needs the operator, who works, who is idle, who is off', () => {
  const agents = [
    agentOf('a', { state: 'stopped' }),
    agentOf('b'),
    agentOf('c', { state: 'thinking' }),
    agentOf('d', { state: 'needs_login' }),
    agentOf('manager', { role: 'manager', state: 'offline' }),
  ]
  const names = orderAgents(agents, [login('d')]).map(({ name }) => name)
  assert.deepEqual(names, ['manager', 'd', 'c', 'b', 'a'])
})

test('while the order is kept, only new ones are added', () => {
  const agents = [agentOf('new'), agentOf('b'), agentOf('a')]
  assert.deepEqual(
    keepOrder(agents, ['a', 'gone', 'b']).map(({ name }) => name),
    ['a', 'b', 'new'],
  )
})

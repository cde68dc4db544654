import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentOf } from '../agent/agent-in-test.ts'
import { paletteGroups } from './palette-items.ts'

test('each agent has its page and its panels', () => {
  const groups = paletteGroups({ agents: [agentOf('alice', { state: 'needs_login' })], approvals: [] })
  const items = groups.flatMap(({ items }) => items)
  assert.deepEqual(
    items.find(({ link }) => link === '/a/alice'),
    { value: 'agent:alice', label: 'Agent alice', hint: 'needs login', link: '/a/alice' },
  )
  assert.ok(items.some(({ label, link }) => label === 'Journal of alice' && link === '/a/alice?panel=journal'))
})

test('without agents there are still the pages', () => {
  const [first] = paletteGroups({ agents: [], approvals: [] })
  assert.ok(first?.items.some(({ link }) => link === '/messages'))
})

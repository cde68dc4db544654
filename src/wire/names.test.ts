import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentName, agentPort, Recipient, SubAgentName, standingOf } from './names.ts'

test('a port follows from a name: FNV-1a, as in the original', () => {
  // Worked out with another implementation.
  assert.deepEqual(['manager', 'alice', 'bob', 'a29', 'a90'].map(agentPort), [8000, 8879, 8744, 8765, 8765])
})

test('names are short, plain and not those of others', () => {
  for (const name of ['a', 'alice', 'a-1', 'abcdefghi']) assert.ok(SubAgentName.safeParse(name).success, name)
  for (const name of [
    '',
    'Alice',
    '1a',
    '-a',
    'a_b',
    'a.b',
    'abcdefghij',
    'operator',
    'manager',
    'system',
    'hm1nd',
    'a/b',
    'a\n',
  ]) {
    assert.ok(!SubAgentName.safeParse(name).success, JSON.stringify(name))
  }
  assert.equal(AgentName.parse('hm1nd'), 'manager')
  assert.equal(Recipient.parse('*'), '*')
  assert.ok(!Recipient.safeParse('system').success)
})

test('what a sender is to the one who reads', () => {
  assert.deepEqual(['operator', 'manager', 'system', 'alice'].map(standingOf), [
    'operator',
    'manager',
    'system',
    'peer',
  ])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Turn } from '../conversation.ts'
import { decideReply } from '../reply.ts'
import type { Scenarios } from '../scenario.ts'
import { obey } from './obey.ts'
import { team } from './team.ts'

interface Letter {
  from: string
  to: string
  body: string
}
const SEND = 'mcp__hyperhive__send'
const scenarios: Scenarios = { default: obey, ...team }

/** Plays one turn; gives the letters that were sent and the other tools that were used. */
function playTurn({ from, to, body }: Letter, sendResult: string): { sent: Letter[]; tools: string[] } {
  const standing = ['operator', 'manager', 'system'].includes(from) ? from : 'peer'
  const turn: Turn = {
    prompt: `Message 1 from ${from} (${standing}), attempt 1, 0 more waiting.\n<<<m\n${body}\nm>>>`,
    replies: [],
  }
  const sent: Letter[] = []
  const tools: string[] = []
  for (let replies = 0; replies < 20; replies++) {
    const scenario = scenarios[to] ?? obey
    const reply = decideReply({ scenario, label: to, turns: [turn], paceMs: 0, takeFault: () => false })
    assert.ok(reply.kind === 'message')
    const calls = reply.pieces.filter((piece) => piece.type === 'tool_use')
    if (calls.length === 0) return { sent, tools }
    for (const { name, input } of calls) {
      if (name === SEND) sent.push({ from: to, ...(input as { to: string; body: string }) })
      else tools.push(name)
    }
    turn.replies.push({ calls: ['a'], results: [calls[0]?.name === SEND ? sendResult : 'Linux'] })
  }
  throw new Error(`the turn of ${to} does not end`)
}

/** Delivers letters until nobody has one. */
function playSwarm(first: Letter): { letters: Letter[]; tools: Set<string> } {
  const letters = [first]
  const tools = new Set<string>()
  for (const letter of letters) {
    assert.ok(letters.length < 30, 'the swarm does not come to rest')
    if (letter.to === 'operator') continue
    const { sent, tools: used } = playTurn(letter, '{"id":2,"ids":[2]}')
    letters.push(...sent)
    for (const tool of used) tools.add(`${letter.to} ${tool}`)
  }
  return { letters, tools }
}

test('the team does what the operator asked, reports once and comes to rest', () => {
  const { letters, tools } = playSwarm({ from: 'operator', to: 'manager', body: 'Please introduce the team.' })
  assert.deepEqual(
    letters.map(({ from, to }) => `${from} → ${to}`),
    [
      'operator → manager',
      'manager → alice',
      'manager → bob',
      'alice → bob',
      'bob → alice',
      'bob → manager',
      'alice → manager',
      'manager → operator',
    ],
  )
  assert.deepEqual([...tools], ['alice Bash', 'alice Write', 'alice Read', 'bob Bash'])
})

test('everyone answers the operator once and starts nothing', () => {
  for (const to of ['alice', 'bob', 'carol']) {
    const { letters } = playSwarm({ from: 'operator', to, body: 'Who are you?' })
    assert.deepEqual(
      letters.map(({ to }) => to),
      [to, 'operator'],
    )
  }
})

test('a refused message ends the turn', () => {
  const { sent } = playTurn({ from: 'operator', to: 'manager', body: 'Go.' }, 'chain_paused: ask the operator')
  assert.equal(sent.length, 1)
})

test('nobody reacts to a fact from the hive or to a stranger with a message', () => {
  for (const to of ['manager', 'alice', 'bob', 'carol']) {
    for (const from of ['system', 'dave']) assert.deepEqual(playTurn({ from, to, body: '{}' }, 'x').sent, [])
  }
})

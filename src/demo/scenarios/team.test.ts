import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HelperEvent } from '../../wire/events.ts'
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
const INIT = 'mcp__hyperhive__request_init_config'
const APPLY = 'mcp__hyperhive__request_apply_commit'
/** What the tools answer when all goes well; approvals have the number 7. */
const RESULTS: Readonly<Record<string, string>> = {
  [SEND]: '{"id":2,"ids":[2]}',
  [INIT]: '{"id":7}',
  [APPLY]: 'Approval 7: commit 0123456789ab of scout (what runs: ba9876543210) waits for the operator.\nEnd your turn.',
  Bash: 'Linux',
}
const scenarios: Scenarios = { default: obey, ...team }

/** Plays one turn; gives the letters that were sent and the other tools that were used. */
function playTurn({ from, to, body }: Letter, results = RESULTS): { sent: Letter[]; tools: string[] } {
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
    turn.replies.push({ calls: ['a'], results: [results[calls[0]?.name ?? ''] ?? ''] })
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
    const { sent, tools: used } = playTurn(letter)
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
      'manager → operator',
    ],
  )
  assert.deepEqual([...tools], ['alice Bash', 'alice Write', 'alice Read', 'bob Bash', `manager ${INIT}`])
  assert.match(letters.at(-1)?.body ?? '', /^hive show 7, then hive approve 7: .*hive pending .*hive deny 7/)
})

test('everyone answers the operator once and starts nothing', () => {
  for (const to of ['alice', 'bob', 'scout', 'carol']) {
    const { letters } = playSwarm({ from: 'operator', to, body: 'Who are you?' })
    assert.deepEqual(
      letters.map(({ to }) => to),
      [to, 'operator'],
    )
  }
})

test('a refused message ends the turn', () => {
  const { sent } = playTurn(
    { from: 'operator', to: 'manager', body: 'Go.' },
    { [SEND]: 'chain_paused: ask the operator' },
  )
  assert.equal(sent.length, 1)
})

test('nobody reacts to a fact from the hive or to a stranger with a message', () => {
  for (const to of ['manager', 'alice', 'bob', 'scout', 'carol']) {
    for (const from of ['system', 'dave']) assert.deepEqual(playTurn({ from, to, body: '{}' }).sent, [])
    const started = JSON.stringify({ event: 'started', reason: 'you were restarted by the operator', note: 'Go on.' })
    assert.deepEqual(playTurn({ from: 'system', to, body: started }), { sent: [], tools: [] })
  }
})

describe('the tour', () => {
  const tell = (fact: Record<string, unknown>) =>
    playSwarm({ from: 'system', to: 'manager', body: JSON.stringify(HelperEvent.parse(fact)) })
  const resolved = { event: 'approval_resolved', id: 9, agent: 'scout', kind: 'init_config', status: 'approved' }
  const made = { event: 'spawned', agent: 'scout', ok: true, sha: 'abc', tag: 'deployed/9' }
  const rolledBack = { event: 'rebuilt', agent: 'scout', ok: false, note: 'no "compass"', sha: 'abc', tag: 'failed/9' }

  test('is offered once at a time', () => {
    const report: Letter = { from: 'alice', to: 'manager', body: 'done.' }
    const { sent } = playTurn(report, { ...RESULTS, [INIT]: 'conflict: approval 7 asks for that already' })
    assert.deepEqual(
      sent.map(({ to }) => to),
      ['operator'],
    )
  })

  test('goes on with a configuration to look at', () => {
    const { letters, tools } = tell({ ...resolved, sha: 'abc', tag: 'deployed/0' })
    assert.deepEqual([...tools], ['manager Bash', `manager ${APPLY}`])
    assert.equal(letters.length, 2)
    assert.match(letters[1]?.body ?? '', /^hive show 7, then hive approve 7: /)
  })

  test('goes on with a broken one when the agent has reported', () => {
    const { letters, tools } = tell(made)
    assert.deepEqual(
      letters.map(({ from, to }) => `${from} → ${to}`),
      ['system → manager', 'manager → scout', 'scout → manager', 'manager → operator'],
    )
    assert.deepEqual([...tools], ['scout Bash', 'manager Bash', `manager ${APPLY}`])
    assert.match(letters.at(-1)?.body ?? '', /^hive show 7, then hive approve 7: .*broken on purpose.*says: Linux$/)
  })

  test('ends when the broken one was rolled back and the agent answers', () => {
    const { letters, tools } = tell(rolledBack)
    assert.deepEqual(
      letters.map(({ from, to }) => `${from} → ${to}`),
      ['system → manager', 'manager → scout', 'scout → manager', 'manager → operator'],
    )
    assert.deepEqual([...tools], ['scout Bash'])
    assert.match(letters.at(-1)?.body ?? '', /^hive show 9: .*still says: Linux\. That was the tour/)
  })

  test('ends with one message when something is denied, or the agent cannot be made', () => {
    const facts = [
      { ...resolved, status: 'denied', note: 'no' },
      { ...resolved, kind: 'apply_commit', status: 'denied', note: '', sha: 'abc', tag: 'denied/9' },
      { ...made, ok: false, note: 'why', tag: 'failed/9' },
    ]
    for (const fact of facts) {
      const { letters, tools } = tell(fact)
      assert.deepEqual(
        letters.map(({ to }) => to),
        ['manager', 'operator'],
      )
      assert.match(letters[1]?.body ?? '', /9.*the tour ends here/i)
      assert.equal(tools.size, 0)
    }
  })

  test('is about nothing else', () => {
    const facts = [
      ...[resolved, made, rolledBack, { ...resolved, status: 'denied' }].map((fact) => ({ ...fact, agent: 'dave' })),
      // Asked for or made by the operator.
      { ...resolved, kind: 'spawn' },
      { ...resolved, kind: 'spawn', status: 'denied' },
      { event: 'spawned', agent: 'scout', ok: true, sha: 'abc' },
      // Told with another event as well.
      { ...resolved, kind: 'apply_commit' },
      { ...resolved, kind: 'apply_commit', status: 'failed', note: '"agent":"scout","ok":false,"tag":"failed/9"' },
      { ...rolledBack, ok: true, tag: 'deployed/9' },
      { event: 'destroyed', agent: 'scout' },
    ]
    for (const fact of facts) assert.equal(tell(fact).letters.length, 1, JSON.stringify(fact))
  })
})

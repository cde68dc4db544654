import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOTHING_SPENT } from '../../wire/money.ts'
import type { Agent } from '../../wire/things.ts'
import { type Measured, metricsOf } from './metrics.ts'

const agent = (name: string, used: number | null) =>
  ({ name, state: 'idle', unread: 2, account: { requests: 7, used } }) as Agent

const MEASURED: Measured = {
  agents: [agent('alice', 0.5), agent('bob', null)],
  messages: { queued: 1, leased: 2, done: 3, dead: 4 },
  needs: 5,
  pendingApprovals: 6,
  slots: { used: 1, total: 4 },
  totals: {
    turns: [{ agent: 'alice', reason: 'ok', n: 9 }],
    usage: [{ ...NOTHING_SPENT, day: '', agent: 'alice', model: 'a "b"\\\nc', inputTokens: 11, dollars: 0.25 }],
  },
  memoryBytes: 1e8,
  cpuSeconds: 1.5,
  startedAt: 1e9,
}

/** The lines of a metric without its comments. */
const samples = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name))

test('is text that Prometheus reads: each metric described once, before its samples', () => {
  const text = metricsOf(MEASURED)
  assert.ok(text.endsWith('\n'))
  const described = new Set<string>()
  for (const line of text.trimEnd().split('\n')) {
    const [, name] = /^# (?:HELP|TYPE) (\w+) .+$/.exec(line) ?? []
    if (name) described.add(name)
    else {
      const [, metric] = /^(\w+)(?:\{(?:\w+="(?:[^"\\]|\\[\\n"])*",?)+\})? -?[\d.e+-]+$/.exec(line) ?? []
      assert.ok(metric && described.has(metric), line)
    }
  }
  const kinds = text.match(/^# TYPE (\w+) (\w+)$/gm) ?? []
  assert.equal(new Set(kinds).size, kinds.length)
  assert.ok(kinds.every((kind) => kind.endsWith('counter') === /_total /.test(kind)))
})

test('tells agents by state, what they used, and what waits', () => {
  const text = metricsOf(MEASURED)
  assert.ok(samples(text, 'hive_agents').includes('hive_agents{state="idle"} 2'))
  assert.ok(samples(text, 'hive_agents').includes('hive_agents{state="failed"} 0'))
  assert.deepEqual(samples(text, 'hive_dollars_total'), [
    'hive_dollars_total{agent="alice",model="a \\"b\\"\\\\\\nc"} 0.25',
  ])
  assert.deepEqual(samples(text, 'hive_budget_used'), ['hive_budget_used_ratio{agent="alice"} 0.5'])
  assert.deepEqual(samples(text, 'hive_turns_total'), ['hive_turns_total{agent="alice",reason="ok"} 9'])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNotifier } from '../../kit/notifier.ts'
import { type Account, NOTHING_SPENT } from '../../wire/money.ts'
import type { Agent, Need } from '../../wire/things.ts'
import { SqliteStore } from '../broker/sqlite-store.ts'
import { openHiveDatabase } from '../database.ts'
import { type NeedSources, Needs } from './needs.ts'
import { sourcesOf } from './sources-in-test.ts'

const accountOf = (used: number | null, isOverridden = false): Account => ({
  spent: NOTHING_SPENT,
  budget: {},
  used,
  isOverridden,
  requests: 0,
  doubt: null,
})

const agentOf = (name: string, more: Partial<Agent>): Agent => ({
  name,
  role: 'agent',
  container: `h-${name}`,
  state: 'idle',
  stateSince: 5,
  desired: 'running',
  turn: null,
  model: 'haiku',
  sha: null,
  unread: 0,
  port: 8100,
  portTakenBy: null,
  needsUpdate: false,
  parked: null,
  paused: null,
  operation: null,
  account: accountOf(null),
  detail: null,
  lastTurn: null,
  ...more,
})

const question = {
  id: 3,
  asker: 'manager',
  question: 'Which?',
  options: [],
  multi: false,
  state: 'open',
  askedAt: 30,
  deadlineAt: null,
  answer: null,
  answeredAt: null,
} as const
const permission = {
  id: 4,
  agent: 'alice',
  tool: 'Bash',
  input: '{}',
  description: null,
  pattern: null,
  state: 'pending',
  askedAt: 40,
  deadlineAt: 1000,
  decidedAt: null,
  message: null,
} as const

const needsOf = (given: Partial<NeedSources>, now?: () => number) => new Needs(sourcesOf(given), createNotifier(), now)

const short = (needs: readonly Need[]) => needs.map(({ key, since, link, actions }) => [key, since, link, ...actions])

test('everything that waits is in one list, oldest first, with what deals with it; it is counted alike', async () => {
  using db = openHiveDatabase(':memory:')
  const store = new SqliteStore({ db, inboxCap: 100, maxHops: 16, now: () => 20 })
  const { ids } = await store.send({ from: 'alice', to: ['bob'], body: 'x' })
  await store.bury('bob', 'gone')
  const needs = needsOf(
    {
      store,
      questions: () => [{ ...question, options: [] }],
      permissions: () => [permission],
      failedUpdates: () => [{ agent: 'erin', since: 50, detail: 'it does not start' }],
      stopped: () => ({ since: 60, reason: 'a test' }),
      lowDisk: () => ({ since: 70, detail: '3 MiB are free' }),
      account: () => accountOf(0.9),
      undecodable: () => Promise.resolve([{ table: 'questions', id: '9', problem: 'bad' }]),
      agents: () => [
        agentOf('a', { state: 'needs_login', stateSince: 1 }),
        agentOf('b', { state: 'parked', parked: { reason: 'billing', detail: 'pay', since: 2 } }),
        agentOf('c', { state: 'failed', stateSince: 3 }),
        agentOf('d', { state: 'paused', paused: { since: 4, reason: 'disk: it grew' } }),
      ],
    },
    () => 100,
  )
  const list = await needs.list()
  assert.deepEqual(short(list), [
    ['login:a', 1, '/a/a', 'hive login a'],
    ['parked:b', 2, '/a/b', 'hive unpark b'],
    ['failed:c', 3, '/a/c', 'hive logs c', 'hive start c'],
    ['paused:d', 4, '/a/d', 'hive resume d'],
    [`dead_letter:${ids[0]}`, 20, `/messages/${ids[0]}`, `hive requeue ${ids[0]}`, `hive drop ${ids[0]}`],
    ['question:3', 30, '/a/manager', 'hive answer 3', 'hive cancel-question 3'],
    ['permission:4', 40, '/a/alice', 'hive permit 4', 'hive refuse 4'],
    ['update_failed:erin', 50, '/a/erin', 'hive logs erin', 'hive rebuild erin'],
    ['stopped', 60, '/', 'hive resume --all'],
    ['low_disk', 70, '/', 'hive tombstones'],
    ['budget:*', 100, '/', 'hive usage'],
    ['undecodable:questions:9', 100, '/'],
  ])
  assert.equal(await needs.count(), list.length)
})

test('what the operator did, and what ends by itself, does not wait', async () => {
  const needs = needsOf({
    agents: () => [
      agentOf('a', { state: 'paused', paused: { since: 1, reason: 'I want to look at it' } }),
      agentOf('b', { state: 'parked', parked: { reason: 'quota', detail: '', since: 1, until: 9 } }),
      agentOf('c', { account: accountOf(0.79) }),
      agentOf('d', { account: accountOf(2, true) }),
    ],
  })
  assert.deepEqual(await needs.list(), [])
  assert.equal(await needs.count(), 0)
})

test('a budget that is used up is one thing, not two', async () => {
  const parked = { reason: 'budget', detail: '10 of 10 turns', since: 1, until: 99 } as const
  const needs = needsOf({ agents: () => [agentOf('a', { state: 'parked', parked, account: accountOf(1) })] })
  assert.deepEqual(
    (await needs.list()).map(({ key }) => key),
    ['parked:a'],
  )
})

test('what has no time of its own has that of its first sight, as long as it waits', async () => {
  let now = 100
  let used = 0.8
  const rows = [{ table: 'messages', id: '1', problem: 'bad' }]
  const needs = needsOf(
    { agents: () => [agentOf('a', { account: accountOf(used) })], undecodable: () => Promise.resolve(rows) },
    () => now,
  )
  const times = async () => (await needs.list()).map(({ key, since }) => [key, since])
  await times()
  now = 200
  assert.deepEqual(await times(), [
    ['budget:a', 100],
    ['undecodable:messages:1', 100],
  ])
  used = 0.1
  await times()
  used = 0.8
  now = 300
  assert.deepEqual(await times(), [
    ['undecodable:messages:1', 100],
    ['budget:a', 300],
  ])
  assert.deepEqual(await needs.undecodable(), [{ ...rows[0], since: 100 }])
})

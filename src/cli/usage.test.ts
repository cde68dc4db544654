import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { hostOps } from '../wire/host-ops.ts'
import type { Account, Spent } from '../wire/money.ts'
import type { Handlers } from '../wire/op.ts'
import { agentOf, FakeHive, SENT_AT } from './fake-hive.ts'
import { budgetText, countText, dollarText } from './money-text.ts'
import { runHive } from './run-in-test.ts'

const SPENT: Spent = {
  turns: 3,
  inputTokens: 12,
  outputTokens: 3_450,
  cacheReadTokens: 1_234_567,
  cacheWriteTokens: 0,
  dollars: 0.01234,
  durationMs: 5_000,
}
const account = (more: Partial<Account> = {}): Account => ({
  spent: SPENT,
  budget: {},
  used: null,
  isOverridden: false,
  requests: 9,
  doubt: null,
  ...more,
})

describe('hive usage', () => {
  let hive: FakeHive
  before(async () => {
    process.env.TZ = 'UTC'
    hive = await FakeHive.open()
    const { turns: _, ...figures } = SPENT
    const answers: Pick<Handlers<typeof hostOps>, 'usage' | 'turns' | 'metrics'> = {
      usage: ({ agent }) => ({
        rows: [{ ...SPENT, day: '2026-11-21', agent: 'alice', model: 'opus\x1b[31m' }],
        today: {
          hive: account({ requests: 11 }),
          agents: {
            alice: account({ budget: { turns: 4 }, used: 0.8, isOverridden: true, doubt: 'it had no turn' }),
            ...(agent ? {} : { bob: account() }),
          },
        },
        errors: [],
      }),
      turns: ({ agent }) => ({
        turns:
          agent === 'bob'
            ? []
            : [{ ...figures, agent, at: SENT_AT, model: 'opus', reason: 'ok', message: 7, contextTokens: 900 }],
        errors: [{ table: 'turns', id: '3', problem: 'bad' }],
      }),
      metrics: () => ({ text: 'hive_needs 1\n' }),
    }
    Object.assign(hive.also, answers)
  })
  after(() => hive[Symbol.asyncDispose]())
  const run = (...args: string[]) => runHive([...args, '--run-dir', hive.runDir])

  test('shows what was spent today against budgets, then the days, and whose figures they are', async () => {
    assert.equal(
      (await run('usage')).out,
      `\
TODAY     TURNS  TOKENS  DOLLARS  BUDGET                      REQUESTS  DOUBT
alice     3      1.2M    $0.0123  ████████░░ 80%, overridden  9         it had no turn
bob       3      1.2M    $0.0123  no limit                    9         -
the hive  3      1.2M    $0.0123  no limit                    11        -

DAY         AGENT  MODEL         TURNS  INPUT  OUTPUT  CACHE READ  CACHE WRITE  DOLLARS
2026-11-21  alice  opus\\x1b[31m  3      12     3.5k    1.2M        0            $0.0123

Tokens and dollars are the figures of the agents’ own engines; requests are what the gateway saw.
`,
    )
    hive.calls.length = 0
    assert.doesNotMatch((await run('usage', '--agent', 'alice', '--days', '30')).out, /the hive/)
    assert.deepEqual(hive.calls, [['usage', { agent: 'alice', days: 30 }]])
    const { rows, today } = JSON.parse((await run('usage', '--json')).out)
    assert.deepEqual([rows.length, Object.keys(today)], [1, ['hive', 'agents']])
  })

  test('lists turns of one agent, and says which rows cannot be read', async () => {
    const { out, err } = await run('usage', '--turns', '--agent', 'alice')
    assert.equal(
      out,
      `\
WHEN                 MESSAGE  ENDED  TOOK  MODEL  INPUT  OUTPUT  CACHE READ  CACHE WRITE  DOLLARS
2026-11-21 14:03:22  #7       ok     5.0s  opus   12     3.5k    1.2M        0            $0.0123
`,
    )
    assert.match(err, /row 3 of turns cannot be read/)
    assert.equal((await run('usage', '--turns=5', '--agent', 'bob')).out, 'bob has taken no turn yet\n')
    assert.deepEqual(hive.calls.at(-1), ['turns', { agent: 'bob', limit: 5 }])
    const refused = await run('usage', '--turns')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /name it: --agent <agent>/)
  })

  test('metrics: as they are', async () => {
    assert.equal((await run('metrics')).out, 'hive_needs 1\n')
    assert.deepEqual(JSON.parse((await run('metrics', '--json')).out), { text: 'hive_needs 1\n' })
  })

  test('list and status tell what agents spent today, and who comes near the limit', async () => {
    hive.agents.set('alice', agentOf('alice', { account: account({ budget: { turns: 4 }, used: 0.8 }) }))
    assert.match((await run('list')).out, /^alice .* 3 turns \$0\.0123$/m)
    assert.match((await run('status')).out, /^alice .* 3 turns \$0\.0123 +80% of its budget of today$/m)
  })
})

test('figures are short and say what matters', () => {
  assert.deepEqual([0, 999, 1_000, 999_949, 999_950, 2e9].map(countText), [
    '0',
    '999',
    '1.0k',
    '999.9k',
    '1.0M',
    '2.0G',
  ])
  assert.deepEqual([0, 0.00412, 12.345].map(dollarText), ['$0.0000', '$0.0041', '$12.35'])
  assert.equal(budgetText({ used: 2.5, isOverridden: false }), '██████████ 250%')
  assert.equal(budgetText({ used: 0.999, isOverridden: false }), '█████████░ 99%')
})

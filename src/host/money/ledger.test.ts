import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { addSpent, NOTHING_SPENT, type Spent, tokensOf } from '../../wire/money.ts'
import { TurnReason } from '../../wire/turn.ts'
import { AGENTS, openMoney, usageOf } from './money-in-test.ts'

const DAY_MS = 86_400_000
const sum = (rows: readonly Omit<Spent, 'turns'>[]) =>
  rows.map((row) => ({ turns: 1, ...row })).reduce(addSpent, NOTHING_SPENT)
/** Dollars are added up in another order. */
const rounded = (spent: Spent): Spent => ({ ...spent, dollars: Number(spent.dollars.toFixed(6)) })

describe('the ledger', () => {
  test('has sums that are those of the turns, whatever turns are said to have used', async () => {
    const figure = fc.oneof(fc.nat(1e6), fc.double(), fc.constantFrom(-1, 1e300, Number.POSITIVE_INFINITY, Number.NaN))
    const usage = fc.record({
      model: fc.oneof(fc.constantFrom('haiku', 'opus', ''), fc.string()),
      inputTokens: figure,
      outputTokens: figure,
      cacheReadTokens: figure,
      cacheWriteTokens: figure,
      costUsd: figure,
      durationMs: figure,
      contextTokens: figure,
    })
    const turn = fc.record({
      agent: fc.constantFrom(...AGENTS),
      usage: fc.option(usage, { nil: undefined }),
      reason: fc.constantFrom(...TurnReason.options),
      laterMs: fc.nat(DAY_MS),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 30 }), async (turns) => {
        using money = openMoney()
        const { clock, ledger } = money
        let ended = 0
        for (const { agent, usage, reason, laterMs } of turns) {
          clock.now += laterMs
          // Parked by the turn before, or waiting for a retry.
          await money.broker.unpark(agent)
          const begun = await money.begin(agent)
          if (!begun) continue
          ended += 1
          await begun.end(usage && { ...usage, contextWindow: 0 }, reason)
        }
        const { rows, errors } = ledger.usage(undefined, 3660)
        assert.deepEqual(errors, [])
        const listed = AGENTS.flatMap((agent) => ledger.turns(agent, 1000).turns)
        assert.equal(listed.length, ended)
        assert.deepEqual(rounded(sum(listed)), rounded(rows.reduce<Spent>(addSpent, NOTHING_SPENT)))
        for (const agent of AGENTS) {
          const ofAgent = rows.filter((row) => row.agent === agent)
          assert.deepEqual(
            rounded(sum(listed.filter((row) => row.agent === agent))),
            rounded(ofAgent.reduce<Spent>(addSpent, NOTHING_SPENT)),
          )
        }
        assert.ok(listed.every((row) => tokensOf({ turns: 1, ...row }) >= 0 && Number.isFinite(row.dollars)))
        assert.ok(listed.every(({ contextTokens }) => contextTokens >= 0 && Number.isInteger(contextTokens)))
        const today = AGENTS.map((agent) => ledger.spentBy(agent)).reduce(addSpent, NOTHING_SPENT)
        assert.deepEqual(rounded(ledger.spentByAll()), rounded(today))
        assert.equal(
          ledger.totals().turns.reduce((total, { n }) => total + n, 0),
          ended,
        )
      }),
      { numRuns: 60 },
    )
  })

  test('books a turn once, though its end is told again', async () => {
    using money = openMoney()
    const turn = await money.begin('alice')
    await turn?.end(usageOf(10))
    await assert.rejects(turn?.end(usageOf(10)) ?? Promise.resolve(), { code: 'stale_lease' })
    assert.equal(money.ledger.spentBy('alice').turns, 1)
    assert.equal(money.ledger.turns('alice', 10).turns.length, 1)
  })

  test('knows how full the context was after each turn, and that nobody knows it of turns of an older hive', async (t) => {
    const path = join(mkdtempSync(join(tmpdir(), 'ledger-')), 'hive.db')
    t.after(() => rmSync(dirname(path), { recursive: true }))
    {
      using money = openMoney({}, {}, path)
      await (await money.begin('alice'))?.end(usageOf(10, { contextTokens: 700 }))
      money.db.run('ALTER TABLE turns DROP COLUMN context_tokens')
      money.db.run('PRAGMA user_version = 3')
    }
    using money = openMoney({}, {}, path)
    await (await money.begin('bob'))?.end(usageOf(10, { contextTokens: 1_234.5 }))
    await (await money.begin('bob'))?.end()
    const contexts = (agent: string) => money.ledger.turns(agent, 10).turns.map(({ contextTokens }) => contextTokens)
    assert.deepEqual([contexts('alice'), contexts('bob')], [[0], [1235, 0]])
  })

  test('books a turn whose container went away, with what it was told of last', async () => {
    using money = openMoney()
    await money.begin('alice')
    money.accounts.noteTurn('alice', usageOf(10))
    await money.broker.reclaim('alice', { charge: true, reason: 'it is gone' })
    const [turn] = money.ledger.turns('alice', 10).turns
    assert.deepEqual([turn?.reason, turn?.inputTokens], ['crash', 10])
    assert.equal(tokensOf(money.accounts.of('alice').spent), 40, 'and not once more as one in progress')
  })

  test('begins a new day at midnight of the host', async () => {
    using money = openMoney()
    await (await money.begin('alice'))?.end(usageOf(10))
    money.clock.now = new Date(2026, 10, 26, 23, 59, 59, 999).getTime()
    assert.equal(money.ledger.spentBy('alice').turns, 1)
    money.clock.now += 1
    assert.deepEqual(money.ledger.spentBy('alice'), NOTHING_SPENT)
    assert.deepEqual(money.ledger.spentByAll(), NOTHING_SPENT)
    await (await money.begin('alice'))?.end(usageOf(10))
    assert.deepEqual(
      money.ledger.usage('alice', 2).rows.map(({ day, turns }) => [day, turns]),
      [
        ['2026-11-26', 1],
        ['2026-11-27', 1],
      ],
    )
    assert.equal(money.ledger.usage('alice', 1).rows.length, 1)
  })

  test('keeps the sums of turns that it deletes, and nothing of an agent that is purged', async () => {
    using money = openMoney()
    for (const agent of AGENTS) await (await money.begin(agent))?.end(usageOf(10))
    money.clock.now += 1000
    await (await money.begin('bob'))?.end(usageOf(10))
    assert.equal(await money.ledger.vacuum(money.clock.now, 1), 1)
    assert.equal(await money.ledger.vacuum(money.clock.now, 500), 1)
    assert.equal(money.ledger.turns('bob', 10).turns.length, 1)
    assert.equal(money.ledger.spentBy('bob').turns, 2)
    await money.ledger.purge('alice')
    assert.equal(money.ledger.spentByAll().turns, 2)
    assert.deepEqual(money.ledger.usage('alice', 10).rows, [])
  })

  test('files models beyond a number under other: their names are an agent’s claim', async () => {
    using money = openMoney()
    for (let n = 0; n < 30; n++) await (await money.begin('alice'))?.end(usageOf(1, { model: `model-${n}` }))
    const { rows } = money.ledger.usage('alice', 1)
    assert.ok(rows.length <= 17)
    assert.equal(rows.find(({ model }) => model === 'other')?.turns, 14)
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openMoney, usageOf, WAITS } from './money-in-test.ts'

const NEXT_DAY = new Date(2026, 10, 27).getTime()
const once = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

describe('a budget', () => {
  for (const [kind, budget] of [
    ['turns', { turns: 2 }],
    ['tokens', { tokens: 80 }],
    ['dollars', { dollars: 0.02 }],
  ] as const) {
    test(`of ${kind} that is used up parks the inbox until midnight, whoever writes`, async () => {
      using money = openMoney({ alice: budget })
      await (await money.begin('alice'))?.end(usageOf(10))
      assert.equal(money.store.parked('alice'), null)
      assert.equal(money.accounts.of('alice').used, 0.5)
      await (await money.begin('alice'))?.end(usageOf(10))
      assert.equal(await money.begin('alice'), undefined)
      await once(() => money.store.parked('alice') !== null)
      const parked = money.store.parked('alice')
      assert.deepEqual([parked?.reason, parked?.until], ['budget', NEXT_DAY])
      assert.match(parked?.detail ?? '', new RegExp(kind === 'dollars' ? '\\$0.0200 of \\$0.02' : `of \\d+ ${kind}`))
      assert.equal(money.accounts.of('alice').used, 1)
      assert.notEqual(await money.begin('bob'), undefined, 'others go on')
    })
  }

  test('of the hive counts everybody, and parks everybody', async () => {
    using money = openMoney({}, { turns: 2 })
    await (await money.begin('alice'))?.end()
    await (await money.begin('bob'))?.end()
    assert.equal(await money.begin('alice'), undefined)
    assert.equal(await money.begin('bob'), undefined)
    await once(() => money.store.parked('bob') !== null)
    assert.match(money.store.parked('bob')?.detail ?? '', /the hive has used 2 of 2 turns today, most of it by \w+$/)
    assert.equal(money.accounts.ofHive().used, 1)
  })

  test('counts the turn in progress, but not as a turn before it has ended', async () => {
    using money = openMoney({ alice: { tokens: 100, turns: 1 } })
    const turn = await money.begin('alice')
    money.accounts.noteTurn('alice', usageOf(20))
    assert.equal(money.accounts.overspent('alice'), undefined)
    assert.equal(money.accounts.of('alice').spent.turns, 0)
    money.accounts.noteTurn('alice', usageOf(25))
    assert.equal(money.accounts.overspent('alice')?.reason, 'budget')
    await turn?.end(usageOf(25), 'interrupted')
    assert.deepEqual([money.accounts.of('alice').spent.turns, money.accounts.of('alice').spent.inputTokens], [1, 25])
    assert.equal(money.store.queued('alice'), 1)
  })

  test('books a turn that ended without a word as it was told of last, also when the write runs twice', async () => {
    using money = openMoney({ alice: { tokens: 1000 } })
    await money.begin('alice')
    money.accounts.noteTurn('alice', usageOf(20))
    const turn = { agent: 'alice', epoch: 1, message: 1, attempt: 1, at: Date.now(), reason: 'crash' } as const
    await assert.rejects(
      money.db.write(() => {
        money.accounts.settle(turn)
        throw new Error('another write of this batch failed')
      }),
    )
    await money.db.write(() => money.accounts.settle(turn))
    assert.equal(money.accounts.of('alice').spent.inputTokens, 20)
  })

  test('lets go on by itself at midnight, also when the clock was set', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    using money = openMoney({ alice: { turns: 1 } })
    const { broker, store } = money
    await (await money.begin('alice'))?.end()
    const epoch = store.epoch('alice')
    await broker.send('operator', { to: 'alice', body: 'for tomorrow' })
    const next = broker.recv('alice', { epoch, waitMs: 1e9, signal: WAITS })
    await once(() => store.parked('alice') !== null)
    t.mock.timers.tick(60_000)
    assert.equal(store.parked('alice')?.reason, 'budget')
    money.clock.now = NEXT_DAY
    t.mock.timers.tick(60_000)
    assert.equal((await next)[0]?.body, 'for tomorrow')
    assert.equal(store.parked('alice'), null)
  })

  test('that was raised lets go on, one that was not does not', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    using money = openMoney({ alice: { turns: 1 } })
    const { broker, store } = money
    await (await money.begin('alice'))?.end()
    await money.begin('alice')
    await once(() => store.parked('alice') !== null)
    broker.takeUp(['alice'])
    t.mock.timers.tick(60_000)
    assert.notEqual(store.parked('alice'), null)
    money.budgets.alice = { turns: 2 }
    broker.reconsider('alice')
    t.mock.timers.tick(0)
    await once(() => store.parked('alice') === null)
    assert.notEqual(await money.begin('alice'), undefined)
  })

  test('that the operator overrides does not hold for the rest of the day, and that is written down once', async () => {
    using money = openMoney({ alice: { turns: 0 } })
    const { broker, notes, accounts, store } = money
    assert.equal(await money.begin('alice'), undefined)
    await once(() => store.parked('alice') !== null)
    for (const _ of [1, 2]) await notes.override('alice', { detail: 'x' })
    await broker.unpark('alice')
    await (await money.begin('alice'))?.end()
    await (await money.begin('alice'))?.end()
    assert.equal(accounts.of('alice').isOverridden, true)
    assert.equal(money.db.all('SELECT verb FROM audit').length, 1)
    money.clock.now = NEXT_DAY
    assert.equal(accounts.of('alice').isOverridden, false)
    assert.equal(await money.begin('alice'), undefined)
  })
})

describe('a doubt', () => {
  test('is when the gateway saw what turns do not explain', async () => {
    using money = openMoney()
    const doubt = () => money.accounts.of('alice').doubt
    await money.notes.addRequests([{ agent: 'alice', requests: 20, unexplained: 20 }])
    assert.equal(doubt(), null)
    await money.notes.addRequests([{ agent: 'alice', requests: 30, unexplained: 0 }])
    assert.match(doubt() ?? '', /50 requests to its model, and only 0 tokens/)
    await (await money.begin('alice'))?.end(usageOf(10_000))
    assert.equal(doubt(), null)
    await money.notes.addRequests([{ agent: 'alice', requests: 1, unexplained: 1 }])
    assert.match(doubt() ?? '', /21 requests to its model while it had no turn/)
    assert.equal(money.accounts.of('alice').requests, 51)
  })
})

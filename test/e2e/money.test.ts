import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Scenario } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import type { Spent } from '../../src/wire/money.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { approve, propose } from '../proposals.ts'

const CALLS = 2_000
/** Calls a tool again and again, until its message comes a second time. */
const LOOPER: Scenario = {
  about: 'loop',
  rules: [
    {
      body: '^loop$',
      attempt: 1,
      do: Array.from({ length: CALLS }, () => ({ call: 'Bash', with: { command: 'echo on', description: 'x' } })),
    },
    ...obey.rules,
  ],
}

describe('what agents spend', { timeout: 180_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive({}, { scenarios: { looper: LOOPER } })
  })
  after(() => hive[Symbol.asyncDispose]())

  const spentBy = async (agent: string) => {
    const { rows, today } = await (await hive.host()).usage({ agent, days: 1 })
    return { rows, account: today.agents[agent] }
  }
  const tokensOf = ({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }: Omit<Spent, 'turns'>) => ({
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
  })
  const requestsOf = (agent: string) => hive.model.requests.filter((request) => request.agent === agent)
  /** What the scripted endpoint charged an agent with. */
  const billedTo = (agent: string) => {
    const bills = requestsOf(agent).flatMap(({ billed }) => billed ?? [])
    const sum = (of: (usage: (typeof bills)[number]) => number) => bills.reduce((total, usage) => total + of(usage), 0)
    return {
      inputTokens: sum((usage) => usage.input_tokens),
      outputTokens: sum((usage) => usage.output_tokens),
      cacheReadTokens: sum((usage) => usage.cache_read_input_tokens),
      cacheWriteTokens: sum((usage) => usage.cache_creation_input_tokens),
    }
  }
  const totalOf = (tokens: Record<string, number>) => Object.values(tokens).reduce((sum, n) => sum + n, 0)

  test('is what the endpoint billed, also of a turn during which the daemon was killed, and nothing while they are idle', async () => {
    const host = await hive.host()
    await host.spawn({ name: 'teller' })
    assert.deepEqual((await spentBy('teller')).rows, [])
    await hive.tell('teller', 'say one')
    await hive.tell('teller', 'bash echo two')
    const { requests = 0 } = (await spentBy('teller')).account ?? {}
    // The last one may not have ended on the way.
    assert.ok(requests >= requestsOf('teller').length - 1 && requests <= requestsOf('teller').length + 5, `${requests}`)
    await host.compact({ agent: 'teller' })
    const { id } = await host.send({ to: 'teller', body: 'mumble 1500' })
    await hive.model.asked('mumble 1500')
    await hive.kill()
    await hive.start()
    await hive.message(id, ({ state }) => state === 'done')
    const { rows, account } = await spentBy('teller')
    const [row] = rows
    assert.ok(row && account)
    assert.equal(rows.length, 1)
    assert.match(row.model, /haiku/)
    assert.deepEqual(tokensOf(row), billedTo('teller'))
    const { turns } = await (await hive.host()).turns({ agent: 'teller' })
    assert.deepEqual([turns.length, row.turns, account.spent.turns], [3, 3, 3])
    const totalCost = await lastCostOf('teller')
    assert.ok(Math.abs(row.dollars - totalCost) < 1e-9, `${row.dollars} are not the ${totalCost} of the engine`)
    assert.equal(account.doubt, null)
  })

  /** What the engine says that its conversation has cost. */
  const lastCostOf = async (agent: string): Promise<number> => {
    const { events } = await (await hive.host()).events({ agent, limit: 500, after: 0 })
    const results = events.flatMap(({ event }) =>
      event.kind === 'stream' && event.value.type === 'result' ? [event.value] : [],
    )
    return Number(results.at(-1)?.total_cost_usd)
  }

  test('ends within the turn that reaches its budget; the rest waits for tomorrow, or for the operator', async () => {
    let host = await hive.host()
    await host.spawn({ name: 'looper' })
    const budgets = { tokens: 40_000 }
    const { id: approval } = await propose(hive, 'looper', { 'agent.json': JSON.stringify({ budgets }) })
    await approve(hive, approval)
    assert.equal((await hive.decided(approval)).state, 'deployed')
    // It is told that it was started again.
    await hive.agent('looper', ({ unread, account }) => unread === 0 && account.spent.turns === 1)
    const { id } = await host.send({ to: 'looper', body: 'loop' })
    const { parked, account, state } = await hive.agent('looper', (agent) => agent.parked !== null)
    assert.deepEqual([parked?.reason, state], ['budget', 'parked'])
    assert.match(parked?.detail ?? '', /of 40000 tokens are used today/)
    const midnight = new Date()
    midnight.setHours(24, 0, 0, 0)
    assert.equal(parked?.until, midnight.getTime())
    const waiting = await hive.message(id, (message) => message.state === 'queued')
    assert.deepEqual([waiting.attempt, waiting.failures], [1, 0])
    assert.match(waiting.error ?? '', /^interrupted: budget: /)
    assert.ok(requestsOf('looper').length < CALLS, 'it was not stopped')
    assert.ok((account.used ?? 0) >= 1 && account.spent.turns === 2)
    // An answer that came while it was being stopped may be counted on one side only.
    const last = requestsOf('looper').at(-1)?.billed
    const difference = Math.abs(totalOf(tokensOf(account.spent)) - totalOf(billedTo('looper')))
    assert.ok(difference <= totalOf({ ...last, service_tier: 0 }), `${difference} tokens are missing`)

    await hive.stop()
    await hive.start()
    host = await hive.host()
    const asked = requestsOf('looper').length
    await host.send({ to: 'looper', body: 'say the operator wants it' })
    assert.equal((await hive.agent('looper', ({ unread }) => unread === 2)).parked?.reason, 'budget')
    assert.equal(requestsOf('looper').length, asked)

    await host.unpark({ agent: 'looper' })
    assert.equal((await hive.message(id, (message) => message.state === 'done')).attempt, 2)
    const after = await hive.agent('looper', ({ unread }) => unread === 0)
    assert.deepEqual([after.parked, after.account.isOverridden], [null, true])
    const { entries } = await host.audit({ agent: 'looper' })
    assert.equal(entries.filter(({ verb }) => verb === 'override_budget').length, 1)
  })

  test('is told to Prometheus', async () => {
    await hive.tell('teller', 'say three')
    const { text } = await (await hive.host()).metrics({})
    const { rows } = await spentBy('teller')
    const [row] = rows
    assert.ok(row)
    assert.match(
      text,
      new RegExp(`^hive_tokens_total{agent="teller",model="${row.model}",kind="input"} ${row.inputTokens}$`, 'm'),
    )
    assert.match(text, /^hive_turns_total{agent="teller",reason="ok"} 4$/m)
  })

  test('of the hive has a budget too, which goes on with a raised setting', async () => {
    await hive.stop()
    await hive.start({ budget: { turns: 1 } })
    const host = await hive.host()
    const { id } = await host.send({ to: 'teller', body: 'say more' })
    const { parked } = await hive.agent('teller', (agent) => agent.parked !== null)
    assert.match(parked?.detail ?? '', /^the hive has used \d+ of 1 turns today, most of it by \w+$/)
    await hive.stop()
    await hive.start({ budget: { turns: 1000 } })
    assert.equal((await hive.message(id, ({ state }) => state === 'done')).attempt, 1)
  })
})

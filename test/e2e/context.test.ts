import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ModelRequest } from '../../src/demo/model.ts'
import type { Rule, Scenario } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import { startTestHive, type TestHive } from '../hive.ts'

const NOTES = 'buy milk'
const CHECKPOINT = 'This is no message'
/** Of those that the engine takes to be a million tokens wide, and of those that it takes to be 200,000. */
const FULL = { 'claude-haiku-5-5': 800_000, 'claude-haiku-4-5': 160_000 }

/** What a request asks: some models are sent reminders after it, and what came to nothing stands before it. */
const lastOfUser = ({ body }: ModelRequest): string =>
  JSON.stringify(body.messages.findLast(({ role }) => role === 'user')?.content.at(-1))

const checkpoint = (steps: Rule['do']): Rule => ({ body: `^${CHECKPOINT}`, do: steps })
const fill = Object.values(FULL).map((tokens) => ({
  body: `^fill ${tokens}$`,
  do: [{ say: 'Much read.', inputTokens: tokens }],
}))
const write = { call: 'Bash', with: { command: `echo ${NOTES} > /state/notes.md`, description: 'Notes' } }
const scenario = (steps: Rule['do'] = [write, { say: 'Written down.' }]): Scenario => ({
  about: 'Fills its context.',
  rules: [checkpoint(steps), ...fill, ...obey.rules],
})

/** Its context is as full while it writes, however soon it is interrupted. */
const slowly: Rule['do'] = [
  { say: 'Writing.', inputTokens: FULL['claude-haiku-5-5'] },
  { mumble: { forMs: 60_000, everyMs: 50 } },
]

/** A conversation and its window, with the real engine. */
describe('a context that fills up', { timeout: 180_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive({ hangSeconds: 3 }, { scenarios: { default: scenario(), slow: scenario(slowly) } })
  })
  after(() => hive[Symbol.asyncDispose]())

  const spawn = async (name: string, model: keyof typeof FULL = 'claude-haiku-5-5') => {
    const host = await hive.host()
    await host.spawn({ name })
    await host.model({ agent: name, model })
    await hive.tell(name, 'say hello')
    await hive.tell(name, `fill ${FULL[model]}`)
    return host
  }
  const requestsOf = (agent: string) => hive.model.requests.filter((request) => request.agent === agent)
  /** What an agent's model was asked since, in a word each. */
  const askedSince = (agent: string, count: number) =>
    requestsOf(agent)
      .slice(count)
      .map((request) => {
        const text = lastOfUser(request)
        if (text.includes('Your task is to create a detailed summary')) return 'summary'
        if (text.includes(CHECKPOINT)) return 'checkpoint'
        return text.includes('Your session was begun afresh') ? 'afresh' : 'message'
      })
  const lastPrompt = (agent: string) => JSON.stringify(requestsOf(agent).at(-1)?.body.messages)
  const notesOf = async (agent: string) => {
    const { events } = await (await hive.host()).events({ agent, limit: 500, after: 0 })
    return events.flatMap(({ event }) => (event.kind === 'note' ? [event.text] : [])).join('\n')
  }

  for (const [name, model] of [
    ['wide', 'claude-haiku-5-5'],
    ['narrow', 'claude-haiku-4-5'],
  ] as const) {
    test(`is written down and compacted before the next message, once, and the engine did not do it before (${name})`, async () => {
      const host = await spawn(name, model)
      const count = requestsOf(name).length
      await hive.agent(name, ({ state }) => state === 'idle')
      assert.deepEqual(askedSince(name, count), [], 'nobody wrote, so nothing is asked')
      assert.equal((await hive.tell(name, 'say on')).error, null)
      // Writing down is a request with a tool call and one with its result.
      assert.deepEqual(askedSince(name, count), ['checkpoint', 'message', 'summary', 'message'])
      assert.match(await notesOf(name), /80% full.*\ncompacted/)
      assert.equal(readFileSync(join(hive.stateDir, 'agents', name, 'state/notes.md'), 'utf8'), `${NOTES}\n`)
      assert.equal((await hive.tell(name, 'say further')).error, null)
      assert.deepEqual(askedSince(name, count + 4), ['message'])
      const { turns } = await host.turns({ agent: name })
      assert.equal(turns.length, 4)
    })
  }

  test('costs what the endpoint billed, the checkpoint and the compaction too', async () => {
    const host = await spawn('billed')
    await hive.tell('billed', 'say on')
    const [row] = (await host.usage({ agent: 'billed', days: 1 })).rows
    const bills = requestsOf('billed').flatMap(({ billed }) => billed ?? [])
    const sum = (of: (usage: (typeof bills)[number]) => number) => bills.reduce((total, usage) => total + of(usage), 0)
    assert.deepEqual(
      [row?.inputTokens, row?.outputTokens, row?.cacheReadTokens, row?.cacheWriteTokens],
      [
        sum((usage) => usage.input_tokens),
        sum((usage) => usage.output_tokens),
        sum((usage) => usage.cache_read_input_tokens),
        sum((usage) => usage.cache_creation_input_tokens),
      ],
    )
  })

  for (const fault of ['rate_limited', 'overloaded', 'bad_request', 'stall', 'prompt_too_long'] as const) {
    const name = `no-${fault.replaceAll('_', '').slice(0, 6)}`
    test(`begins afresh with its notes when the compaction fails (${fault}), once`, async () => {
      await spawn(name)
      const count = requestsOf(name).length
      hive.model.failNext({ fault }, { agent: name, times: 1_000, of: 'summary' })
      assert.equal((await hive.tell(name, 'say on')).error, null)
      const asked = askedSince(name, count)
      assert.deepEqual([asked.slice(0, 3), asked.at(-1)], [['checkpoint', 'message', 'summary'], 'afresh'])
      assert.ok(asked.length <= 8, asked.join(' '))
      assert.match(lastPrompt(name), new RegExp(`begun afresh.*own notes, /state/notes.md.*${NOTES}.*say on`))
      assert.equal((await hive.tell(name, 'say further')).error, null)
      assert.deepEqual(askedSince(name, count + asked.length), ['message'])
      hive.model.forgive()
    })
  }

  test('is not compacted when its notes could not be written, and its message does not wait for that', async () => {
    await spawn('unwritten')
    const count = requestsOf('unwritten').length
    hive.model.setScenarios({ default: scenario([{ fault: 'bad_request' }]) })
    assert.equal((await hive.tell('unwritten', 'say on')).error, null)
    const asked = askedSince('unwritten', count)
    assert.deepEqual([asked[0], asked.at(-1), asked.includes('summary')], ['checkpoint', 'message', false])
    assert.match(lastPrompt('unwritten'), /what was asked before no longer holds.*say on/)
    hive.model.setScenarios({ default: scenario() })
  })

  test('ends its checkpoint when the message that comes next is cancelled, and has it with the one after that', async () => {
    const host = await spawn('slow')
    const { id } = await host.send({ to: 'slow', body: 'say never' })
    await hive.model.waitForRequest(({ agent, body }) => agent === 'slow' && JSON.stringify(body).includes(CHECKPOINT))
    await host.cancel({ agent: 'slow' })
    assert.equal((await hive.message(id, ({ state }) => state === 'done')).error, 'cancelled')
    hive.model.setScenarios({ default: scenario() })
    const count = requestsOf('slow').length
    assert.equal((await hive.tell('slow', 'say on')).error, null)
    assert.deepEqual(askedSince('slow', count), ['checkpoint', 'message', 'summary', 'message'])
  })

  test('that never fits is given up after a fixed number of requests, for each message, and the next is worked on', async () => {
    const host = await hive.host()
    await host.spawn({ name: 'long' })
    await hive.tell('long', 'bash echo buy milk > /state/notes.md')
    const spent: number[] = []
    hive.model.failNext({ fault: 'prompt_too_long' }, { agent: 'long', times: 1_000 })
    for (const body of ['say one', 'say two', 'say three']) {
      const count = requestsOf('long').length
      const dead = await hive.tell('long', body)
      assert.deepEqual([dead.state, dead.attempt], ['dead', 1])
      assert.match(dead.error ?? '', /^prompt_too_long/)
      spent.push(requestsOf('long').length - count)
      await hive.tell('manager', 'say nothing')
    }
    // The engine asks and compacts by itself, then on our word, then in a fresh session, where there is nothing to compact.
    assert.deepEqual(spent, [9, 3, 3])
    assert.match(lastPrompt('long'), /begun afresh.*buy milk/)
    hive.model.forgive()
    assert.equal((await hive.tell('long', 'say four')).error, null)
    assert.match(lastPrompt('long'), /begun afresh.*buy milk.*say four/)
    assert.equal((await hive.tell('long', 'say five')).error, null)
    assert.match(lastPrompt('long'), /say five/)
  })
})

describe('notes that grow too long', { timeout: 60_000 }, () => {
  test('are shortened in the next turn, without one of their own, and the old version is kept', async () => {
    await using hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'writer' })
    await hive.tell('writer', 'bash head -c 70000 /dev/zero | tr "\\0" n > /state/notes.md')
    const count = hive.model.requests.filter(({ agent }) => agent === 'writer').length
    await hive.tell('writer', 'bash echo short > /state/notes.md')
    const asked = hive.model.requests.filter(({ agent }) => agent === 'writer').slice(count)
    assert.equal(asked.length, 2)
    assert.match(lastOfUser(asked[0] as ModelRequest), /69 KiB long, 64 at most/)
    const kept = join(hive.stateDir, 'agents/writer/state/.notes')
    const versions = readdirSync(kept)
    assert.deepEqual(
      versions.map((name) => readFileSync(join(kept, name)).length),
      [70_000],
    )
    await hive.tell('writer', 'say well')
    const last = hive.model.requests.findLast(({ agent }) => agent === 'writer')
    assert.doesNotMatch(lastOfUser(last as ModelRequest), /KiB long/)
  })
})

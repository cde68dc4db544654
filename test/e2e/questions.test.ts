import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Scenario } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import { connectOps } from '../../src/kit/op-client.ts'
import { agentOps } from '../../src/wire/agent-ops.ts'
import { HelperEvent } from '../../src/wire/events.ts'
import type { Message } from '../../src/wire/things.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { approve, propose } from '../proposals.ts'

const ASK = 'mcp__hyperhive__ask_operator'
/** Does what it is told, and asks the operator. */
const asking: Scenario = {
  ...obey,
  rules: [
    { body: '^ask (.+) within (?<seconds>\\d+)$', do: [askFor({ ttl_seconds: '{#seconds}' }), { say: '{result}' }] },
    { body: '^choose (.+)$', do: [askFor({ options: ['eu', 'us'], multi: true }), { say: '{result}' }] },
    { body: '^ask (.+)$', do: [askFor({}), { say: '{result}' }] },
    { standing: 'system', body: 'operator_answered.*"answer":"([^"]+)"', do: [{ say: 'The answer is {1}.' }] },
    ...obey.rules,
  ],
}

function askFor(more: object) {
  return { call: ASK, with: { question: '{1}', ...more } }
}

/** What an agent was told of a question, once it has ended its turn with it. */
async function toldOf(hive: TestHive, asker: string, id: number): Promise<Message[]> {
  const host = await hive.host()
  for (let after = 0; ; ) {
    const page = await host.messages({ agent: asker, after, limit: 1000, wait_seconds: 30 })
    after = page.cursor
    const all = (await host.messages({ agent: asker, limit: 1000 })).messages
    const told = all.filter(({ from, body }) => from === 'system' && isAnswer(body, id))
    if (told.length > 0 && told.every(({ state }) => state === 'done')) return told
  }
}

function isAnswer(body: string, id: number): boolean {
  const event = HelperEvent.parse(JSON.parse(body))
  return event.event === 'operator_answered' && event.id === id
}

const answerOf = ({ body }: Message): string => JSON.parse(body).answer

describe('questions to the operator', { timeout: 180_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive({}, { scenarios: { default: asking } })
    await (await hive.host()).spawn({ name: 'alice' })
  })
  after(() => hive[Symbol.asyncDispose]())

  /** Has an agent ask, and gives the question. */
  const asked = async (agent: string, body: string) => {
    const before = (await (await hive.host()).questions({ all: true })).questions.length
    assert.equal((await hive.tell(agent, body)).state, 'done')
    const { questions } = await (await hive.host()).questions({ all: true })
    assert.equal(questions.length, before + 1)
    return questions.at(-1) as NonNullable<(typeof questions)[number]>
  }

  test('end the turn that asks, and wake the asker with the answer', async () => {
    const question = await asked('manager', 'choose a region')
    const { id, asker, options, multi, state } = question
    assert.deepEqual([asker, options, multi, state], ['manager', ['eu', 'us'], true, 'open'])
    const { question: answered } = await (await hive.host()).answer({ id, answer: 'eu, us' })
    assert.deepEqual([answered.state, answered.answer], ['answered', 'eu, us'])
    const [told] = await toldOf(hive, 'manager', id)
    assert.equal(await hive.output('manager', told?.id as number), 'The answer is eu, us.')
  })

  test('are answered once: whoever comes second learns what was said first', async () => {
    const { id } = await asked('manager', 'ask twice')
    const host = await hive.host()
    const both = await Promise.allSettled([host.answer({ id, answer: 'one' }), host.answer({ id, answer: 'two' })])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.match(String((both[1] as PromiseRejectedResult).reason), /is answered already: one/)
    await assert.rejects(host.cancel_question({ id }), { code: 'conflict' })
    assert.deepEqual((await toldOf(hive, 'manager', id)).map(answerOf), ['one'])
  })

  test('are cancelled by the operator, who is believed also after a restart', async () => {
    const { id } = await asked('manager', 'ask in vain')
    await hive.kill()
    await hive.start()
    await (await hive.host()).cancel_question({ id })
    assert.deepEqual((await toldOf(hive, 'manager', id)).map(answerOf), ['[cancelled]'])
  })

  test('whose answer was stored when the daemon was killed are told, once', async () => {
    const { id } = await asked('manager', 'ask before the kill')
    await hive.stop()
    await hive.start(undefined, 'answer.decided')
    await assert.rejects(async () => (await hive.host()).answer({ id, answer: 'kept' }))
    await hive.ended()
    await hive.start()
    assert.deepEqual((await toldOf(hive, 'manager', id)).map(answerOf), ['kept'])
    await hive.stop()
    await hive.start()
    await hive.tell('manager', 'say something else')
    assert.equal((await toldOf(hive, 'manager', id)).length, 1)
  })

  test('expire, also while the daemon is away', async () => {
    const { id, askedAt, deadlineAt } = await asked('manager', 'ask soon within 10')
    assert.equal((deadlineAt as number) - askedAt, 10_000)
    await hive.kill()
    await hive.start()
    assert.deepEqual((await toldOf(hive, 'manager', id)).map(answerOf), ['[expired]'])
    const { questions } = await (await hive.host()).questions({ all: true })
    assert.equal(questions.find((one) => one.id === id)?.state, 'expired')
    await assert.rejects((await hive.host()).answer({ id, answer: 'late' }), { code: 'conflict' })
  })

  test('are the manager’s alone, unless a configuration says so', async () => {
    const { id } = await (await hive.host()).send({ to: 'alice', body: 'ask as alice' })
    await hive.message(id, ({ state }) => state === 'done')
    assert.match(await hive.output('alice', id), /No such tool available/)
    await using other = await connectOps(agentOps, join(hive.runDir, 'agents/alice/mcp.sock'))
    await assert.rejects(other.call.ask_operator({ question: 'may I?' }), {
      code: 'forbidden',
      hint: /ask the manager/,
    })

    const approval = await propose(hive, 'alice', { 'agent.json': '{ "askOperator": true }' })
    await approve(hive, approval.id)
    assert.equal((await hive.decided(approval.id)).state, 'deployed')
    const question = await asked('alice', 'ask as alice')
    assert.equal(question.asker, 'alice')
    const ofManager = await asked('manager', 'ask as the manager')
    await using again = await connectOps(agentOps, join(hive.runDir, 'agents/alice/mcp.sock'))
    await assert.rejects(again.call.cancel_question({ id: ofManager.id }), { code: 'not_found' })
    await again.call.cancel_question({ id: question.id })
    await assert.rejects((await hive.host()).answer({ id: question.id, answer: 'late' }), { code: 'conflict' })
  })

  test('of any number and with any content harm nobody', async () => {
    const evil = '<script>alert(1)</script> \u001b[2J\u202e'
    await using alice = await connectOps(agentOps, join(hive.runDir, 'agents/alice/mcp.sock'))
    const refused = new Map<string, number>()
    for (let sent = 0; sent < 10_000; sent += 200) {
      const asking = Array.from({ length: 200 }, () => alice.call.ask_operator({ question: evil, options: [evil] }))
      for (const result of await Promise.allSettled(asking)) {
        if (result.status === 'fulfilled') continue
        refused.set(result.reason.code, (refused.get(result.reason.code) ?? 0) + 1)
      }
    }
    const host = await hive.host()
    const { questions, errors } = await host.questions({ agent: 'alice' })
    assert.deepEqual([questions.length, errors], [20, []])
    assert.ok(questions.every(({ question, options }) => question === evil && options[0] === evil))
    assert.ok((refused.get('too_many') ?? 0) > 0)
    assert.equal((await hive.tell('manager', 'say undisturbed')).state, 'done')

    await host.destroy({ agent: 'alice' })
    assert.deepEqual((await host.questions({ agent: 'alice' })).questions, [])
    const ended = (await host.questions({ agent: 'alice', all: true })).questions.filter(
      ({ question }) => question === evil,
    )
    assert.ok(ended.length === 20 && ended.every(({ state }) => state === 'cancelled'))
  })
})

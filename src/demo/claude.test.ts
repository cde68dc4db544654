import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Line, startClaude } from './claude-for-tests.ts'
import { type ModelServer, openModelServer } from './model-server.ts'
import type { Scenarios } from './scenario.ts'
import { obey } from './scenarios/obey.ts'

/** What tells one ending of a turn from another. */
function summarize(said: readonly Line[]) {
  const { is_error, api_error_status, terminal_reason } = said.at(-1) ?? { type: '' }
  return {
    is_error,
    status: api_error_status ?? null,
    terminal: terminal_reason,
    error: said.findLast(({ error, type }) => type === 'assistant' && error)?.error ?? null,
    retry: said.find(({ subtype }) => subtype === 'api_retry')?.error ?? null,
  }
}

const findEvent = (said: readonly Line[], subtype: string): Line | undefined =>
  said.find((line) => line.subtype === subtype)
const contentOf = (said: readonly Line[]): Record<string, unknown>[] =>
  said.flatMap(({ type, message }) => (type === 'assistant' ? (message?.content ?? []) : []))

const isResultOf42 = ({ type, content }: { type: string; content?: unknown }): boolean =>
  type === 'tool_result' && content === '42'

const failure = (status: number | null, error: string, retry: string | null = null, terminal = 'api_error') => ({
  is_error: true,
  status,
  terminal,
  error,
  retry,
})
const success = (retry: string | null = null) => ({
  is_error: false,
  status: null,
  terminal: 'completed',
  error: null,
  retry,
})

const scenarios: Scenarios = {
  default: {
    about: '',
    rules: [
      {
        body: '^work$',
        do: [
          { think: 'Two commands at once, the second is faster.' },
          {
            calls: [
              { call: 'Bash', with: { command: 'sleep 0.3; echo one' } },
              { call: 'Bash', with: { command: 'echo two' } },
            ],
          },
          { call: 'Write', with: { file_path: 'note', content: 'Both: {result}' } },
          { call: 'Bash', with: { command: 'cat note' } },
          { say: 'The note says: {result}' },
        ],
      },
      { body: '^full$', do: [{ say: 'I am full.', inputTokens: 10_000_000 }] },
      ...['drop', 'mid_error', 'refuse'].map((fault) => ({
        body: `^cut ${fault}$`,
        do: [{ say: 'Begun.' }, { fault: fault as 'drop', times: 1 }, { say: 'Ended.' }],
      })),
      ...obey.rules,
    ],
  },
}

describe('the real claude with an API key', () => {
  let model: ModelServer
  let claude: ReturnType<typeof startClaude>
  before(async () => {
    model = await openModelServer({ port: 0, scenarios })
    claude = startClaude(model, { ANTHROPIC_API_KEY: 'sk-ant-demo-x' })
  })
  after(async () => {
    await claude.close()
    await model.close()
  })

  test('streams a text, reports plausible usage and ends the turn', async () => {
    const said = await claude.turn('say hello to everyone who is here')
    assert.deepEqual(summarize(said), success())
    assert.equal(said.at(-1)?.result, 'hello to everyone who is here')
    const usage = said.at(-1)?.usage as Record<string, number>
    assert.ok(Number(usage.output_tokens) > 0 && Number(usage.cache_creation_input_tokens) > 100)
    assert.equal(model.requests.at(-1)?.agent, 'x')
  })

  test('runs tools step by step, with what they brought in their order', async () => {
    const said = await claude.turn('work')
    assert.equal(said.at(-1)?.result, 'The note says: Both: one\ntwo')
    assert.deepEqual(
      contentOf(said).map(({ type }) => type),
      ['thinking', 'tool_use', 'tool_use', 'tool_use', 'tool_use', 'text'],
    )
  })

  const faults = {
    bad_request: failure(400, 'unknown'),
    credit: failure(400, 'billing_error'),
    unauthorized: failure(401, 'authentication_failed', 'authentication_failed'),
    forbidden: failure(403, 'authentication_failed'),
    no_such_model: failure(404, 'model_not_found'),
    rate_limited: failure(429, 'rate_limit', 'rate_limit'),
    // An API key has no quota: the headers only stop the engine from trying again.
    quota: failure(429, 'rate_limit'),
    server_error: failure(500, 'server_error', 'server_error'),
    overloaded: failure(529, 'server_error', 'overloaded'),
    reset: failure(null, 'server_error', 'unknown'),
    drop: failure(null, 'server_error', 'unknown'),
    // After the stream was lost it asked once more without one.
    mid_error: failure(529, 'server_error'),
    refuse: failure(null, 'invalid_request'),
    max_tokens: failure(null, 'max_output_tokens'),
    too_large: failure(413, 'invalid_request', null, 'image_error'),
    prompt_too_long: failure(400, 'invalid_request', null, 'prompt_too_long'),
  }
  for (const [fault, expected] of Object.entries(faults)) {
    test(`reports ${fault}`, async () => assert.deepEqual(summarize(await claude.turn(`fault ${fault}`)), expected))
  }

  const passing = {
    unauthorized: 'authentication_failed',
    rate_limited: 'rate_limit',
    server_error: 'server_error',
    overloaded: 'overloaded',
    reset: 'unknown',
    drop: 'unknown',
    mid_error: null,
    refuse: null,
    max_tokens: null,
    prompt_too_long: null,
  }
  for (const [fault, retry] of Object.entries(passing)) {
    test(`gets past ${fault} when it happens once`, async () => {
      const said = await claude.turn(`fault ${fault} 1`)
      assert.deepEqual(summarize(said), success(retry))
      assert.equal(said.at(-1)?.result, 'Past it.')
    })
  }

  for (const fault of ['drop', 'mid_error', 'refuse']) {
    test(`gives the whole reply again after ${fault} in the middle of it`, async () => {
      const said = await claude.turn(`cut ${fault}`)
      assert.equal(said.at(-1)?.is_error, false)
      assert.deepEqual(
        contentOf(said)
          .slice(-2)
          .map(({ text }) => text),
        ['Begun.', 'Ended.'],
      )
    })
  }

  test('compacts by itself when the prompt was too long, and when the usage says that the context is full', async () => {
    const tooLong = await claude.turn('fault prompt_too_long 2')
    assert.ok(findEvent(tooLong, 'compact_boundary'))
    assert.equal(tooLong.at(-1)?.result, 'Past it.')
    await claude.turn('full')
    assert.ok(findEvent(await claude.turn('say next'), 'compact_boundary'))
  })

  test('goes on in the middle of a turn with a model that was restarted', async () => {
    const halting = (times: number): Scenarios => ({
      x: {
        about: '',
        rules: [
          {
            do: [
              { call: 'Bash', with: { command: 'echo $((40 + 2))' } },
              { fault: 'stall', times },
              { say: '{result}!' },
            ],
          },
        ],
      },
    })
    const { port } = model
    model.setScenarios(halting(1))
    const turn = claude.turn('be patient')
    await model.waitForRequest(({ body }) => body.messages.some(({ content }) => content.some(isResultOf42)))
    await model.close()
    model = await openModelServer({ port, scenarios: halting(0) })
    assert.equal((await turn).at(-1)?.result, '42!')
  })
})

describe('the real claude with a login', () => {
  const now = Date.now()
  let model: ModelServer
  let claude: ReturnType<typeof startClaude>
  before(async () => {
    model = await openModelServer({ port: 0, scenarios, now: () => now })
    claude = startClaude(model, { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-demo-bob' })
  })
  after(async () => {
    await claude.close()
    await model.close()
  })

  for (const [claim, limit] of Object.entries({ five_hour: '5-hour', seven_day: 'weekly', seven_day_opus: 'Opus' })) {
    test(`reports a used-up ${claim} quota with the time of its reset`, async () => {
      model.failNext({ fault: 'quota', claim: claim as 'five_hour', resetsInSeconds: 7200 })
      const said = await claude.turn('say x')
      assert.deepEqual(summarize(said), failure(429, 'rate_limit'))
      const event = said.find(({ type }) => type === 'rate_limit_event')?.rate_limit_info as Line | undefined
      assert.equal(event?.status, 'rejected')
      assert.equal(event?.rateLimitType, claim)
      assert.equal(event?.resetsAt, Math.floor(now / 1000) + 7200)
      assert.match(String(said.at(-1)?.result), new RegExp(`You've hit your ${limit} limit`))
      assert.equal(model.requests.at(-1)?.agent, 'bob')
    })
  }

  test('reports a plain 429 as no limit of its own', async () => {
    const said = await claude.turn('fault rate_limited')
    assert.deepEqual(summarize(said), failure(429, 'rate_limit', 'rate_limit'))
    assert.match(String(said.at(-1)?.result), /not your usage limit/)
  })

  test('reports an expired login', async () => {
    const said = await claude.turn('fault unauthorized')
    assert.deepEqual(summarize(said), failure(401, 'authentication_failed', 'authentication_failed'))
  })
})

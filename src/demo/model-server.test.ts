import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type ModelServer, openModelServer } from './model-server.ts'
import { obey } from './scenarios/obey.ts'

describe('the scripted model on HTTP', () => {
  let model: ModelServer
  let ids = 0
  before(async () => {
    const names = { carol: { about: '', rules: [{ do: [{ say: 'I am {label}.' }] }] } }
    const system = { byRole: { about: '', system: 'guards the door', rules: [{ do: [{ say: 'Halt.' }] }] } }
    const newId = (prefix: string): string => `${prefix}_${++ids}`
    model = await openModelServer({
      port: 0,
      scenarios: { default: obey, ...names, ...system },
      newId,
      now: () => 5_000_000,
    })
  })
  after(() => model.close())

  const ask = (body: object, { path = '/v1/messages', headers = {} } = {}) =>
    fetch(`${model.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'm', max_tokens: 9, ...body }),
    })
  const says = (text: string, more: object = {}) => ({ messages: [{ role: 'user', content: text }], ...more })
  const textOf = async (response: Response) =>
    ((await response.json()) as { content: { text: string }[] }).content[0]?.text

  test('answers with a whole message', async () => {
    const response = await ask(says('say hello there'))
    assert.match(response.headers.get('request-id') ?? '', /^req_/)
    const { id, usage, ...message } = (await response.json()) as Record<string, unknown>
    assert.match(String(id), /^msg_/)
    assert.deepEqual(message, {
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: 'hello there' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
    })
    assert.ok(Object.values(usage as object).some((count) => count > 0))
  })

  test('streams the events of the Messages API, a text in several pieces', async () => {
    const response = await ask(says('bash echo a b', { stream: true }))
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    const text = await response.text()
    const events = text
      .trimEnd()
      .split('\n\n')
      .map((event) => event.split('\n'))
    const data = events.map(([, line = '']) => JSON.parse(line.slice('data: '.length)))
    assert.deepEqual(
      events.map(([line]) => line),
      data.map(({ type }) => `event: ${type}`),
    )
    const json = data.flatMap(({ delta }) => delta?.partial_json ?? [])
    assert.ok(json.length > 1)
    assert.deepEqual(JSON.parse(json.join('')), { command: 'echo a b', description: 'As told' })
    const types: string[] = data.map(({ type }) => type)
    assert.deepEqual(
      [...new Set(types)],
      [
        'message_start',
        'ping',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ],
    )
    assert.equal(data.at(-2).delta.stop_reason, 'tool_use')
  })

  test('counts more tokens in a longer conversation, and reads what it knows from the cache', async () => {
    const long = {
      messages: [
        ...says('say one '.repeat(500)).messages,
        { role: 'assistant', content: 'x' },
        ...says('say a').messages,
      ],
    }
    const count = async (body: object) =>
      ((await (await ask(body, { path: '/v1/messages/count_tokens' })).json()) as { input_tokens: number }).input_tokens
    assert.ok((await count(long)) > (await count(says('say a'))))
    const { usage } = (await (await ask(long)).json()) as { usage: Record<string, number> }
    assert.ok(Number(usage.cache_read_input_tokens) > Number(usage.cache_creation_input_tokens))
    const total =
      Number(usage.input_tokens) + Number(usage.cache_read_input_tokens) + Number(usage.cache_creation_input_tokens)
    assert.equal(total, await count(long))
  })

  test('knows the agent by its key, else by its role prompt, else plays the default', async () => {
    const role = { system: [{ type: 'text', text: 'You are `carol`, an agent.' }] }
    assert.equal(await textOf(await ask(says('say hi', role))), 'I am carol.')
    assert.equal(await textOf(await ask(says('say hi', role), { headers: { 'x-api-key': 'sk-ant-demo-dave' } })), 'hi')
    assert.equal(
      await textOf(await ask(says('hi'), { headers: { authorization: 'Bearer sk-ant-oat01-demo-carol' } })),
      'I am carol.',
    )
    assert.equal(await textOf(await ask(says('say hi', { system: 'She guards the door.' }))), 'Halt.')
    assert.equal(await textOf(await ask(says('say hi'), { headers: { 'x-api-key': 'sk-ant-demo-__proto__' } })), 'hi')
    assert.equal(model.requests.at(-3)?.agent, 'carol')
  })

  test('answers errors in the shape of the real API', async () => {
    const error = async (response: Response) => {
      const { type, error } = (await response.json()) as { type: string; error: { type: string; message: string } }
      assert.equal(type, 'error')
      return [response.status, error.type, error.message]
    }
    assert.deepEqual(await error(await fetch(`${model.url}/v1/models`)), [404, 'not_found_error', 'no GET /v1/models'])
    assert.match(String(await error(await ask({ messages: [] }))), /^400,invalid_request_error,messages: /)
    const broken = await fetch(`${model.url}/v1/messages`, { method: 'POST', body: '{' })
    assert.deepEqual(await error(broken), [400, 'invalid_request_error', 'The request body is not valid JSON'])
    assert.deepEqual(await error(await ask(says('fault overloaded'))), [529, 'overloaded_error', 'Overloaded'])
  })

  test('sends the headers of a used-up quota', async () => {
    model.failNext({ fault: 'quota', claim: 'seven_day', resetsInSeconds: 60 })
    const { status, headers } = await ask(says('say x'))
    assert.equal(status, 429)
    assert.equal(headers.get('anthropic-ratelimit-unified-status'), 'rejected')
    assert.equal(headers.get('anthropic-ratelimit-unified-reset'), '5060')
    assert.equal(headers.get('anthropic-ratelimit-unified-representative-claim'), 'seven_day')
  })

  test('fails as often, and for whom, it is told to', async () => {
    const carol = { headers: { 'x-api-key': 'sk-ant-demo-carol' } }
    model.failNext({ fault: 'server_error', message: 'Oh.' }, { agent: 'carol', times: 2 })
    const status = async (options?: object) => (await ask(says('say x'), options)).status
    assert.deepEqual(
      [await status(), await status(carol), await status(carol), await status(carol)],
      [200, 500, 500, 200],
    )
  })

  test('cuts the stream, and the connection before any answer', async () => {
    await assert.rejects(ask(says('fault reset')))
    const response = await ask(says('fault drop', { stream: true }))
    await assert.rejects(response.text())
  })

  test('tells who waits for a request, be it past or to come', async () => {
    const fits = ({ body }: { body: object }) => JSON.stringify(body).includes('say rosebud')
    const waiting = model.waitForRequest(fits)
    await ask(says('say rosebud'))
    assert.equal(await waiting, await model.waitForRequest(fits))
  })

  test('closes while a reply stalls', async () => {
    const other = await openModelServer({ port: 0, scenarios: { default: obey } })
    const request = fetch(`${other.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', ...says('stall', { stream: true }) }),
    })
    const { body } = await request
    await other.close()
    await assert.rejects(new Response(body).text())
  })
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { followStream, StateView } from '../../src/host/web/stream-in-test.ts'
import { freePort } from '../../src/kit/free-port-in-test.ts'
import { HiveState } from '../../src/wire/hive-state.ts'
import { agentPort } from '../../src/wire/names.ts'
import { FRAMES } from '../../src/wire/stream.ts'
import type { Message } from '../../src/wire/things.ts'
import { startTestHive, type TestHive } from '../hive.ts'
import { propose } from '../proposals.ts'

const BIN = join(import.meta.dirname, '../../bin/hive')

/** What the page of a hive has: its address and its token. */
async function enter(hive: TestHive) {
  const { url } = await (await hive.host()).web_link({})
  const [base = '', token = ''] = url.split('/#')
  const headers = { authorization: `Bearer ${token}`, origin: base, 'content-type': 'application/json' }
  const answer = async (response: Response) => ({
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as never,
  })
  return {
    base,
    token,
    get: async (path: string) => answer(await fetch(base + path, { headers })),
    op: async (name: string, input: unknown = {}) =>
      answer(await fetch(`${base}/api/op/${name}`, { method: 'POST', headers, body: JSON.stringify(input) })),
  }
}

/** Sends these bytes to a port and gives the first line of the answer. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.end(text)
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
    if (answer.includes('\r\n')) socket.destroy()
  })
  await once(socket, 'close')
  return answer.split('\r\n')[0] ?? ''
}

const isRefused = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' }).then(
    () => false,
    () => true,
  )

/** Names of agents, unlike in other hives on this machine, with a port that is free, which the two of a pair share. */
async function twinNames(): Promise<[string, string]> {
  for (;;) {
    const port = await freePort()
    const wanted = 8100 + (port % 900)
    const twins: string[] = []
    for (let n = 0; twins.length < 2; n += 1) {
      const name = `w${port.toString(36)}${n.toString(36)}`.slice(0, 9)
      if (agentPort(name) === wanted) twins.push(name)
    }
    if (await isRefused(wanted)) return twins as [string, string]
  }
}

describe('the dashboard’s server', { timeout: 120_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive()
    await (await hive.host()).spawn({ name: 'alice' })
  })
  after(() => hive[Symbol.asyncDispose]())

  test('every byte before the gate: S1 to S6 and S10 with raw sockets', async () => {
    const { port } = hive
    const { token } = await enter(hive)
    const host = `Host: 127.0.0.1:${port}`
    const auth = `Authorization: Bearer ${token}`
    const ours = `Origin: http://127.0.0.1:${port}`
    const json = 'Content-Type: application/json\r\nContent-Length: 2'
    const approve = (...lines: string[]) => ['POST /api/op/resume_all HTTP/1.1', ...lines, '', '{}'].join('\r\n')
    const get = (path: string, ...lines: string[]) => [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n')
    const cases: [string, number][] = [
      [get('/api/state', host, auth), 200],
      [get('/', 'Host: evil.example'), 421],
      [get('/api/state', `Host: localhost.:${port}`, auth), 421],
      [get('/api/state', 'Host: 127.0.0.1:1', auth), 421],
      [get('/', host, host), 400],
      [get('/'), 400],
      ['GET / HTTP/1.0\r\n\r\n', 400],
      [get(`http://127.0.0.1:${port}/`, host), 400],
      [get('/api/state', host), 401],
      [get('/api/state', host, `${auth}x`), 401],
      [get('/api/stream?topics=state', host, auth, 'Origin: http://127.0.0.1:8123'), 403],
      [get('/api/stream?topics=state', host, auth, 'Sec-Fetch-Site: same-site'), 403],
      [get('/api/op/resume_all', host, auth), 405],
      [approve(host, auth, ours, 'Content-Type: text/plain', 'Content-Length: 2'), 415],
      [approve(host, auth, ours, 'Content-Type: application/x-www-form-urlencoded', 'Content-Length: 2'), 415],
      [approve(host, auth, json), 403],
      [approve(host, auth, json, 'Origin: null'), 403],
      [approve(host, auth, json, 'Origin: http://127.0.0.1:8123'), 403],
      [approve(host, ours, json), 401],
      [get('/api/agents/..%2f..%2fetc/passwd', host, auth), 400],
      [get('/%61pi/state', host), 400],
      [get('/../../etc/passwd', host), 400],
      [get('/a%00', host), 400],
    ]
    for (const [text, status] of cases) {
      assert.match(await raw(port, text), new RegExp(`^HTTP/1.1 ${status} `), text)
    }
  })

  test('says on every answer what a page may do, and sets no cookie', async () => {
    const { base, token } = await enter(hive)
    const headers = { authorization: `Bearer ${token}` }
    for (const path of ['/', '/api/state', '/healthz', '/api/nothing', '/x%']) {
      const answer = await fetch(base + path, { headers })
      const of = (name: string) => answer.headers.get(name) ?? ''
      assert.match(
        of('content-security-policy'),
        /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/,
        path,
      )
      assert.equal(of('x-frame-options'), 'DENY')
      assert.equal(of('referrer-policy'), 'no-referrer')
      assert.equal(of('x-content-type-options'), 'nosniff')
      assert.equal(of('set-cookie') + of('access-control-allow-origin'), '')
      await answer.body?.cancel()
    }
  })

  test('does what the command line does, in the operator’s name', async () => {
    const { op, get } = await enter(hive)
    const sent = await op('send', { to: 'alice', body: 'say by http' })
    assert.equal(sent.status, 200)
    const { id } = sent.body as { id: number }
    assert.equal((await hive.message(id, ({ state }) => state === 'done')).from, 'operator')
    assert.equal((await op('model', { agent: 'alice', model: 'haiku' })).status, 200)
    const { entries } = (await op('audit', { agent: 'alice' })).body as { entries: { actor: string; verb: string }[] }
    assert.deepEqual([entries.at(-1)?.actor, entries.at(-1)?.verb], ['operator', 'model'])
    assert.equal((await op('restart', { agent: 'nobody' })).status, 404)
    const state = (await get('/api/state')).body as Record<string, unknown> & { containers: unknown }
    assert.deepEqual(
      HiveState.parse(state).agents.map(({ name }) => name),
      ['manager', 'alice'],
    )
    assert.deepEqual(
      state.containers,
      ['manager', 'alice'].map((name) => ({
        name,
        container: name === 'manager' ? 'hm1nd' : 'h-alice',
        is_manager: name === 'manager',
        port: agentPort(name),
        running: true,
        needs_login: false,
        needs_update: false,
        pending: null,
      })),
    )
  })

  test('pages through the past of an agent, finds in it, and shows one event', async () => {
    const { op } = await enter(hive)
    await hive.tell('alice', 'say needle one')
    await hive.tell('alice', 'say needle two')
    type Page = { events: { seq: number; event: { kind: string } }[]; next: number | null }
    const all = (await op('events', { agent: 'alice', limit: 500 })).body as Page
    const [earlier, last] = [all.events.at(-2), all.events.at(-1)]
    const before = (await op('events', { agent: 'alice', before: last?.seq, limit: 1 })).body as Page
    assert.deepEqual(before.events, [earlier])
    const found = (await op('search_events', { agent: 'alice', text: 'NEEDLE TWO' })).body as Page
    assert.ok(found.events.length > 0 && found.next === null)
    assert.ok(found.events.every((one) => /needle two/.test(JSON.stringify(one))))
    const one = found.events[0]
    assert.deepEqual((await op('event', { agent: 'alice', seq: one?.seq })).body, { event: one })
    assert.equal((await op('event', { agent: 'manager', seq: one?.seq })).status, 404)
  })

  test('shows what a proposal changes under an address that never means anything else', async () => {
    const { get, op } = await enter(hive)
    const { id, sha, base } = await propose(hive, 'alice', { 'notes.md': 'new\n' })
    const diff = await get(`/api/diff/${id}?base=${base}&sha=${sha}`)
    assert.equal(diff.status, 200)
    assert.equal(diff.headers.get('cache-control'), 'private, max-age=31536000, immutable')
    assert.match((diff.body as { text: string }).text, /\+new/)
    for (const query of [`base=${base}&sha=${base}`, `base=${base}&sha=HEAD`, `base=--output=x&sha=${sha}`, '']) {
      assert.ok([400, 404].includes((await get(`/api/diff/${id}?${query}`)).status), query)
    }
    assert.equal((await op('approve', { id, base, sha: base })).status, 409)
    assert.equal((await op('deny', { id, reason: 'a test' })).status, 200)
  })

  test('keeps the token to itself: no log, no answer, no file that others read', async () => {
    const { token, op, get } = await enter(hive)
    const file = join(hive.stateDir, 'web-token')
    assert.equal(readFileSync(file, 'utf8'), token)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    await fetch(`http://127.0.0.1:${hive.port}/api/state?token=${token}`)
    const answers = [
      await get('/api/state'),
      await op('status'),
      await op('audit'),
      await op('logs', { unit: 'alice' }),
    ]
    assert.ok(!JSON.stringify(answers).includes(token))
    await (await hive.host()).web_link({ new_token: true })
    assert.equal((await get('/api/state')).status, 401)
    const next = await enter(hive)
    assert.notEqual(next.token, token)
    assert.equal((await next.get('/api/state')).status, 200)
    assert.ok(!hive.log().includes(token) && !hive.log().includes(next.token))
    const { entries } = await (await hive.host()).audit({})
    assert.equal(entries.at(-1)?.verb, 'new_web_token')
  })

  test('what a page follows is what there is, also over a daemon that was killed', async () => {
    const { base, token } = await enter(hive)
    const view = new StateView({ base, token })
    const { seq } = await view.fetch()
    const events: number[] = []
    const messages = new Map<number, Message>()
    const done = new AbortController()
    const following = followStream({
      base,
      token,
      topics: 'state,messages,events:alice',
      after: `state=${seq};messages=0;events:alice=0`,
      signal: done.signal,
      async onFrame(frame) {
        await view.take(frame)
        const body = JSON.parse(frame.data)
        if (frame.event === 'events:alice') events.push(...FRAMES.events.parse(body).events.map((one) => one.seq))
        if (frame.event === 'messages')
          for (const one of FRAMES.messages.parse(body).messages) messages.set(one.id, one)
      },
    })
    await hive.tell('alice', 'say before')
    await hive.kill()
    await hive.start()
    await hive.tell('alice', 'say after')
    const direct = new StateView({ base, token })
    const stored = async () => (await hive.host()).events({ agent: 'alice', limit: 500 })
    for (;;) {
      const newest = await direct.fetch()
      const isSame = view.state?.seq === newest.seq && isDeepStrictEqual(view.state, newest)
      if (isSame && events.at(-1) === (await stored()).cursor) break
      await sleep(20)
    }
    done.abort()
    await following
    assert.deepEqual(
      events,
      (await stored()).events.map((one) => one.seq),
    )
    assert.deepEqual(
      [...messages.values()].sort((a, b) => a.id - b.id),
      (await (await hive.host()).messages({ limit: 1000 })).messages,
    )
    assert.equal(view.fetched, 2, 'anew after the restart, and not for any other reason')
  })

  test('is there again as soon as the daemon is, whatever happened to that', async () => {
    const { get, base, token } = await enter(hive)
    await hive.kill()
    assert.equal(await isRefused(hive.port), true)
    await hive.start()
    assert.equal((await get('/api/state')).status, 200)
    assert.equal((await fetch(`http://[::1]:${hive.port}/healthz`)).status, 200)
    const headers = { authorization: `Bearer ${token}` }
    const stream = await fetch(`${base}/api/stream?topics=state`, { headers })
    const read = stream.text().catch(() => 'cut')
    await hive.stop()
    await read
    assert.doesNotMatch(hive.log(), /did not end cleanly/)
    await hive.start()
    assert.equal((await get('/api/state')).status, 200)
  })
})

describe('ports', { timeout: 120_000 }, () => {
  test('an agent has one that leads to its page and knows a few old paths; of two with the same the older has it', async () => {
    await using hive = await startTestHive({ agentPorts: true })
    const host = await hive.host()
    const [older, younger] = await twinNames()
    const port = agentPort(older)
    const { warnings } = await host.spawn({ name: older })
    assert.deepEqual(warnings, [])
    assert.match(
      String((await host.spawn({ name: younger })).warnings),
      new RegExp(`port ${port} is taken by ${older}`),
    )
    const base = `http://127.0.0.1:${port}`
    const { token } = await enter(hive)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const visit = async () => (await fetch(base, { redirect: 'manual' })).headers.get('location')
    assert.equal(await visit(), `http://127.0.0.1:${hive.port}/a/${older}`)

    for (const path of ['/api/state', '/events/stream', '/events/history']) {
      assert.equal((await fetch(base + path)).status, 401, path)
    }
    for (const path of ['/x', '/a/alice', '/index.html']) assert.equal((await fetch(base + path)).status, 404, path)
    for (const path of ['/api/op/status', '/api/stream']) {
      assert.notEqual((await fetch(base + path, { headers })).status, 200, path)
    }
    const foreign = { ...headers, origin: `http://127.0.0.1:${hive.port}` }
    assert.equal((await fetch(`${base}/api/cancel`, { method: 'POST', headers: foreign, body: '{}' })).status, 403)

    const { id } = await host.send({ to: older, body: 'stall' })
    await hive.agent(older, ({ state }) => state === 'thinking')
    const state = (await (await fetch(`${base}/api/state`, { headers })).json()) as Record<string, unknown>
    const { label, status, turn_state, dashboard_port } = state
    assert.deepEqual(
      { label, status, turn_state, dashboard_port },
      {
        label: older,
        status: 'online',
        turn_state: 'thinking',
        dashboard_port: hive.port,
      },
    )
    assert.equal((await fetch(`${base}/api/cancel`, { method: 'POST', headers, body: '{}' })).status, 200)
    assert.equal((await hive.message(id, (message) => message.state === 'done')).error, 'cancelled')
    const model = await fetch(`${base}/api/model`, {
      method: 'POST',
      headers,
      body: '{"model":"opus","agent":"manager"}',
    })
    assert.deepEqual(await model.json(), { model: 'opus', source: 'operator' })
    assert.equal((await hive.agent(older, () => true)).model, 'opus')
    const history = (await (await fetch(`${base}/events/history`, { headers })).json()) as { events: unknown[] }
    assert.ok(history.events.length > 0)
    const stream = await fetch(`${base}/events/stream`, { headers })
    const [first] = await Array.fromAsync(take(stream.body, 1))
    assert.match(String(first), /retry/)

    await host.destroy({ agent: older })
    while ((await visit().catch(() => '')) !== `http://127.0.0.1:${hive.port}/a/${younger}`) await sleep(20)
    await host.destroy({ agent: younger })
    while (!(await isRefused(port))) await sleep(20)
  })

  test('one that another program has is a problem, no link leads to it, and it is taken when it is free', async () => {
    const port = await freePort()
    const other: Server = createServer().listen(port, '127.0.0.1')
    await once(other, 'listening')
    await using hive = await startTestHive({ port })
    const host = await hive.host()
    const [problem] = (await host.status({})).errors
    assert.match(`${problem?.where}: ${problem?.problem}`, new RegExp(`port ${port} .*in use by another program`))
    await assert.rejects(host.web_link({}), { code: 'unavailable' })
    other.close()
    while ((await host.status({})).errors.length > 0) await sleep(20)
    const { url } = await host.web_link({})
    assert.equal((await fetch(`${new URL(url).origin}/healthz`)).status, 200)
  })

  test('S28: none is opened to others in clear text', async () => {
    const directory = join('/tmp', `hive-s28-${process.pid}`)
    const argv = ['serve', '--state-dir', directory, '--listen', '0.0.0.0']
    const { status, stderr } = spawnSync(BIN, argv, { encoding: 'utf8', timeout: 30_000 })
    assert.equal(status, 2, stderr)
    assert.match(stderr, /on 0\.0\.0\.0 everybody on the way could read the token of the dashboard\n.*trustedProxy/)
  })
})

/** The first pieces of a stream; then it is left. */
async function* take(stream: ReadableStream<Uint8Array> | null, count: number): AsyncGenerator<string> {
  let n = 0
  for await (const piece of stream?.pipeThrough(new TextDecoderStream()) ?? []) {
    yield piece
    n += 1
    if (n === count) return
  }
}

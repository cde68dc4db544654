import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Scenarios } from '../../src/demo/scenario.ts'
import { obey } from '../../src/demo/scenarios/obey.ts'
import { startTestHive, type TestHive } from '../hive.ts'

/** Floods an agent from inside a sandbox, past the engine and the harness, and prints how often it was let and how often refused. */
const FLOOD = [
  'const s=require("net").connect("/run/hive/mcp.sock")',
  'const n=+process.argv[1],c={};let b="",k=0',
  'for(let i=1;i<=n;i++)s.write(JSON.stringify({id:i,op:"send",input:{to:process.argv[2],body:"flood"}})+"\\n")',
  's.on("data",d=>{const l=(b+d).split("\\n");b=l.pop();for(const x of l){const r=JSON.parse(x),w=r.ok?"ok":r.error.code;c[w]=(c[w]||0)+1;if(++k==n){console.log(JSON.stringify(c));s.end()}}})',
].join(';')
const flood = (times: number, to: string) => `bash /opt/hive/node -e '${FLOOD}' ${times} ${to}`

const lastOutput = async (hive: TestHive, agent: string): Promise<string> =>
  (await hive.agent(agent, ({ state }) => state === 'idle')).lastTurn?.detail ?? ''

describe('a swarm', { timeout: 120_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive({ inboxCap: 40, sendBurst: 30, sendPerSecond: 1 })
    const host = await hive.host()
    await Promise.all(['alice', 'bob', 'carol'].map((name) => host.spawn({ name })))
  })
  after(() => hive[Symbol.asyncDispose]())

  /** Has the manager call a tool and gives what its model was answered. */
  const manage = async (tool: string, input: Record<string, unknown>): Promise<string> => {
    const call = `mcp__hyperhive__${tool}`
    const scenarios: Scenarios = {
      default: obey,
      manager: {
        about: 'Uses one tool.',
        rules: [{ standing: 'operator', do: [{ call, with: input }, { say: 'It said {result}' }] }, ...obey.rules],
      },
    }
    hive.model.setScenarios(scenarios)
    const done = await hive.tell('manager', `use ${tool}`)
    hive.model.setScenarios({ default: obey })
    assert.deepEqual([done.state, done.error], ['done', null])
    // It is also told of agents that are made.
    return hive.output('manager', done.id)
  }

  test('the manager stops, starts and restarts agents and reads their notes', async () => {
    const host = await hive.host()
    await hive.tell('alice', 'bash echo the plan > /state/notes.md')
    assert.match(await manage('notes', { agent: 'alice' }), /notes\.md/)
    assert.match(await manage('notes', { agent: 'alice', path: 'notes.md' }), /the plan/)
    assert.match(await manage('notes', { agent: 'alice', path: '../../etc/passwd' }), /It said (?!.*root:)/)

    await manage('kill', { name: 'alice' })
    assert.deepEqual(
      [(await hive.agent('alice', ({ state }) => state === 'stopped')).desired, (await host.list({})).agents.length],
      ['stopped', 4],
    )
    const { id } = await host.send({ to: 'alice', body: 'say awake' })
    await manage('start', { name: 'alice' })
    await hive.message(id, ({ state }) => state === 'done')
    const before = hive.processes('alice').harness
    await manage('restart', { name: 'alice' })
    await hive.agent('alice', ({ state }) => state === 'idle')
    assert.notEqual(hive.processes('alice').harness, before)
    assert.match(await manage('kill', { name: 'nobody' }), /not_found|no agent/)
  })

  test('what is sent to everyone reaches everyone but its sender', async () => {
    const sent = await hive.tell('bob', 'send * say heard it')
    const host = await hive.host()
    const { messages } = await host.messages({ limit: 1000 })
    const copies = messages.filter(({ from, body }) => from === 'bob' && body === 'say heard it')
    assert.deepEqual(copies.map(({ to }) => to).sort(), ['alice', 'carol', 'manager'])
    for (const { id, rootId } of copies) {
      assert.equal(rootId, sent.id)
      assert.equal((await hive.message(id, ({ state }) => state === 'done')).error, null)
    }
  })

  test('who writes to somebody that is not there is told so, and what else it could do', async () => {
    const host = await hive.host()
    await host.spawn({ name: 'dora' })
    await host.destroy({ agent: 'dora' })
    await hive.tell('alice', 'send dora hello')
    assert.match(await lastOutput(hive, 'alice'), /dora was destroyed.*operator can bring it back/s)
    await hive.tell('alice', 'send caro hello')
    assert.match(await lastOutput(hive, 'alice'), /no agent caro.*did you mean carol/s)
    await hive.tell('alice', 'send zed hello')
    assert.match(await lastOutput(hive, 'alice'), /no agent zed.*the human is "operator"/s)
  })

  test('two that only answer each other are stopped after 16 hops; the operator lets them go on for 16 more, or ends it', async () => {
    const host = await hive.host()
    const retry = [
      { call: 'Bash', with: { command: 'until rm /state/go 2>/dev/null; do sleep 0.05; done', description: 'Wait' } },
      { call: 'mcp__hyperhive__send', with: { to: 'carol', body: 'loop bob' } },
      { say: 'Sent: {result}' },
    ]
    const bob = { about: 'Tries again.', rules: [{ result: 'without the operator', do: retry }, ...obey.rules] }
    hive.model.setScenarios({ default: obey, bob })
    const goOn = () => writeFileSync(join(hive.stateDir, 'agents/bob/state/go'), '')
    const { id: root } = await host.send({ to: 'bob', body: 'loop carol' })
    const farthest = async () =>
      Math.max(
        ...(await host.messages({ limit: 1000 })).messages
          .filter(({ rootId, from }) => rootId === root && from !== 'system')
          .map(({ hops }) => hops),
      )
    const pausedAt = async (hops: number) => {
      for (;;) {
        const { cursor } = await host.messages({ limit: 1 })
        const need = (await host.needs({})).needs.find((one) => one.kind === 'paused_chain' && one.rootId === root)
        if (need?.kind === 'paused_chain' && need.hops === hops) return need
        await host.messages({ after: cursor, wait_seconds: 0.2 })
      }
    }
    const need = await pausedAt(16)
    assert.ok(['bob', 'carol'].every((name) => need.agents.includes(name)))
    assert.deepEqual(need.actions, [`hive allow ${root}`, `hive allow ${root} --stop`])
    assert.equal(await farthest(), 16)
    assert.equal((await hive.tell('alice', 'send carol say unconcerned')).error, null)
    assert.doesNotMatch(await lastOutput(hive, 'alice'), /chain_paused/)

    await host.allow({ root })
    assert.deepEqual((await host.needs({})).needs, [])
    goOn()
    await pausedAt(32)
    assert.equal(await farthest(), 32)

    await host.allow({ root, stop: true })
    assert.deepEqual((await host.needs({})).needs, [])
    goOn()
    assert.match(await lastOutput(hive, 'bob'), /chain_paused.*the operator stopped it/)
    assert.equal(await farthest(), 32)
    hive.model.setScenarios({ default: obey })
  })

  test('a ring of three is stopped after 16 hops, whoever is asked next', async () => {
    const host = await hive.host()
    const next = { alice: 'bob', bob: 'carol', carol: 'alice' }
    const rings = Object.entries(next).map(([name, to]) => {
      const pass = { call: 'mcp__hyperhive__send', with: { to, body: 'round' } }
      return [name, { about: 'Passes it on.', rules: [{ body: '^round$', do: [pass, { say: 'Sent: {result}' }] }] }]
    })
    hive.model.setScenarios({ default: obey, ...Object.fromEntries(rings) })
    const { id: root } = await host.send({ to: 'alice', body: 'round' })
    const passed = async () =>
      (await host.messages({ limit: 1000 })).messages.filter(({ rootId, from }) => rootId === root && from in next)
    for (;;) {
      const { cursor } = await host.messages({ limit: 1 })
      if ((await host.needs({})).needs.some((one) => one.kind === 'paused_chain' && one.rootId === root)) break
      await host.messages({ after: cursor, wait_seconds: 0.2 })
    }
    await Promise.all(
      Object.keys(next).map((name) => hive.agent(name, ({ state, unread }) => state === 'idle' && unread === 0)),
    )
    assert.deepEqual(
      (await passed()).map(({ hops }) => hops).sort((a, b) => a - b),
      Array.from({ length: 16 }, (_, at) => at + 1),
    )
    await host.allow({ root, stop: true })
    hive.model.setScenarios({ default: obey })
  })

  test('who floods is refused, while others go on', async () => {
    const flooding = hive.tell('bob', flood(200, 'carol'))
    assert.equal((await hive.tell('manager', 'send alice say meanwhile')).error, null)
    assert.equal((await flooding).state, 'done')
    const counts = JSON.parse(await lastOutput(hive, 'bob')) as Record<string, number>
    assert.deepEqual(Object.keys(counts).sort(), ['ok', 'rate_limited'])
    assert.ok((counts.ok ?? 0) <= 40, JSON.stringify(counts))
    await hive.agent('carol', ({ unread }) => unread === 0)
  })

  test('a full inbox takes no more, and says so to whoever writes', async () => {
    const host = await hive.host()
    await host.kill({ agent: 'carol' })
    const unread = async () => (await hive.agent('carol', () => true)).unread
    while ((await unread()) < 40) await hive.tell('bob', flood(40, 'carol'))
    await hive.tell('alice', 'send carol hello')
    assert.match(await lastOutput(hive, 'alice'), /inbox_full/)
    assert.equal(await unread(), 40)
    // The operator is heard all the same.
    await host.send({ to: 'carol', body: 'say heard' })
    assert.equal(await unread(), 41)
    await host.start({ agent: 'carol' })
    await hive.agent('carol', ({ unread }) => unread === 0)
    assert.equal((await hive.tell('alice', 'send carol hello')).error, null)
  })
})

describe('one slot for two agents', { timeout: 60_000 }, () => {
  test('one waits until the other is done, or waits for mail itself', async () => {
    await using hive = await startTestHive({ slots: 1 })
    const host = await hive.host()
    await Promise.all(['alice', 'bob'].map((name) => host.spawn({ name })))
    const first = await host.send({ to: 'alice', body: 'stall' })
    await hive.message(first.id, ({ state }) => state === 'leased')
    const second = await host.send({ to: 'bob', body: 'say my turn' })
    await hive.agent('bob', ({ state }) => state === 'waiting')
    assert.deepEqual((await host.status({})).slots, { used: 1, total: 1 })
    await hive.model.waitForRequest(({ agent }) => agent === 'alice')
    assert.equal((await hive.message(second.id, () => true)).state, 'queued')
    await host.cancel({ agent: 'alice' })
    assert.equal((await hive.message(second.id, ({ state }) => state === 'done')).attempt, 1)

    // Within its turn alice waits for an answer: without a slot, or nobody could ever give it.
    const asking = await host.send({ to: 'alice', body: 'recv 60' })
    await hive.message(asking.id, ({ state }) => state === 'leased')
    assert.equal((await hive.tell('bob', 'send alice say the answer')).attempt, 1)
    assert.equal((await hive.message(asking.id, ({ state }) => state === 'done')).attempt, 1)
    assert.match(
      (await hive.agent('alice', ({ state }) => state === 'idle')).lastTurn?.detail ?? '',
      /Got: .*from bob/s,
    )
    assert.equal((await host.status({})).slots.used, 0)
  })
})

import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startTestHive, type TestHive } from '../hive.ts'

const ROOT = join(import.meta.dirname, '../..')
const HARNESS = 'src/harness/main.ts'

/** A checkout whose harness is another with every `release`, and a hive that is started from it. */
async function openReleases() {
  const directory = mkdtempSync('/tmp/release-')
  chmodSync(directory, 0o711)
  for (const name of ['bin', 'src', 'package.json'])
    cpSync(join(ROOT, name), join(directory, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  const source = readFileSync(join(ROOT, HARNESS), 'utf8')
  const hive = await startTestHive({}, { bin: join(directory, 'bin/hive') })
  return {
    hive,
    /** From the next start of the daemon on. */
    release(code: string) {
      writeFileSync(join(directory, HARNESS), `${code}\n${source}`)
    },
    async [Symbol.asyncDispose]() {
      await hive[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true })
    },
  }
}

const GOOD = "process.title = 'harness-2'"
const BAD = "process.stderr.write('I do not start\\n'); process.exit(3)"

const isUpdated = (hive: TestHive, name: string) =>
  hive.agent(name, ({ state, needsUpdate }) => state === 'idle' && !needsUpdate)
const told = async (hive: TestHive, agent: string) => {
  const { messages } = await (await hive.host()).messages({ agent, limit: 100 })
  const facts = messages.filter(({ from, to }) => from === 'system' && to === agent)
  return facts.map(({ body }) => JSON.parse(body))
}

describe('a hive with other programs than its agents', { timeout: 240_000 }, () => {
  test('puts them on its own, and asks no model', async () => {
    await using releases = await openReleases()
    const { hive, release } = releases
    await (await hive.host()).spawn({ name: 'alice' })
    await isUpdated(hive, 'alice')
    await hive.stop()
    release(GOOD)
    const before = ['manager', 'alice'].map((name) => hive.processes(name).harness)
    await hive.start()
    for (const name of ['manager', 'alice']) await isUpdated(hive, name)
    const after = ['manager', 'alice'].map((name) => hive.processes(name).harness)
    for (const [at, pid] of after.entries()) assert.notEqual(pid, before[at])
    assert.deepEqual(hive.model.requests, [])
    assert.deepEqual(await told(hive, 'manager'), [])
    assert.deepEqual(await told(hive, 'alice'), [])
    assert.equal((await hive.tell('alice', 'say on the new ones')).attempt, 1)
  })

  test('which do not start leaves them on theirs, also when all of them are started anew, until they do', async () => {
    await using releases = await openReleases()
    const { hive, release } = releases
    await (await hive.host()).spawn({ name: 'alice' })
    await (await hive.host()).shutdown({ stopAgents: true })
    await hive.ended()
    release(BAD)
    await hive.start()
    const host = await hive.host()
    const failed = async () =>
      (await host.audit({ limit: 100 })).entries.filter(({ verb }) => verb === 'rebuild_failed')
    while ((await failed()).length < 2) await host.messages({ after: 0, wait_seconds: 0.1 })
    for (const name of ['manager', 'alice'])
      await hive.agent(name, (agent) => agent.state === 'idle' && agent.needsUpdate)
    assert.deepEqual(
      (await failed()).map(({ actor, agent }) => [actor, agent]),
      [
        ['system', 'manager'],
        ['system', 'alice'],
      ],
    )
    const facts = await told(hive, 'manager')
    assert.deepEqual(
      facts.map(({ event, agent }) => [event, agent]),
      [
        ['needs_update', 'manager'],
        ['needs_update', 'alice'],
      ],
    )
    assert.match(facts[0].note, /I do not start/)
    await assert.rejects(host.rebuild({ agent: 'alice' }), /alice is as before: its container ended: exit code 3/)
    assert.equal((await hive.tell('alice', 'say on the old ones')).state, 'done')

    // Not tried again by the next daemon with the same programs.
    await hive.kill()
    await hive.start()
    for (const name of ['manager', 'alice'])
      await hive.agent(name, (agent) => agent.state === 'idle' && agent.needsUpdate)
    await hive.stop()
    release(GOOD)
    await hive.start()
    for (const name of ['manager', 'alice']) await isUpdated(hive, name)
    const { entries } = await (await hive.host()).audit({ agent: 'alice', limit: 100 })
    assert.deepEqual(
      entries.map(({ actor, verb }) => `${actor} ${verb}`).filter((what) => what.includes('rebuild')),
      ['system rebuild_failed', 'operator rebuild_failed', 'system rebuild'],
    )
  })
})

describe('an agent that is started by somebody', { timeout: 120_000 }, () => {
  const reasons = async (hive: TestHive) => (await told(hive, 'alice')).map(({ reason }) => reason)

  test('is told so once, and ends its turn; not after its spawn, and not when it is there already', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    await host.start({ agent: 'alice' })
    await hive.agent('alice', ({ state }) => state === 'idle')
    assert.deepEqual(await reasons(hive), [])
    await host.restart({ agent: 'alice' })
    await host.rebuild({ agent: 'alice' })
    await host.kill({ agent: 'alice' })
    await host.start({ agent: 'alice' })
    assert.deepEqual(await reasons(hive), [
      'you were restarted by the operator',
      'you were rebuilt by the operator',
      'you were started by the operator',
    ])
    const { messages } = await host.messages({ agent: 'alice', limit: 10 })
    for (const { id } of messages) await hive.message(id, ({ state }) => state === 'done')
    assert.equal(await hive.output('alice', messages.at(-1)?.id as number), 'Noted.')
  })

  test('goes on with what it was interrupted in, then hears why; a crash is not told', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const { id } = await host.send({ to: 'alice', body: 'stall' })
    await hive.model.asked('stall')
    await host.rebuild({ agent: 'alice', now: true })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [2, 0])
    await hive.agent('alice', ({ state }) => state === 'idle')
    process.kill(hive.processes('alice').harness, 'SIGKILL')
    await hive.agent('alice', ({ state }) => state === 'offline')
    await hive.agent('alice', ({ state }) => state === 'idle')
    assert.deepEqual(await reasons(hive), ['you were rebuilt by the operator'])
  })
})

import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSinkServer } from '../../src/host/sinks/sink-in-test.ts'
import { startTestHive } from '../hive.ts'
import { approve, propose } from '../proposals.ts'

test('a backup, put in the place of a state directory that is lost, has the messages, the agents and what is deployed', {
  timeout: 180_000,
}, async () => {
  await using hive = await startTestHive()
  const host = await hive.host()
  await host.spawn({ name: 'alice' })
  const first = await propose(hive, 'alice', { 'agent.json': '{"model":"opus"}' })
  await approve(hive, first.id)
  assert.equal((await hive.decided(first.id)).state, 'deployed')
  const said = await hive.tell('alice', 'say before')
  const pending = await propose(hive, 'alice', { 'agent.json': '{"model":"sonnet"}' })
  await host.kill({ agent: 'alice', now: true })
  const waiting = (await host.send({ to: 'alice', body: 'say after' })).id

  await assert.rejects(host.backup({ directory: join(hive.stateDir, 'agents', 'alice', 'state', 'x') }), {
    code: 'bad_input',
  })
  const directory = join(hive.directory, 'backup')
  const written = await host.backup({ directory })
  assert.equal(written.directory, directory)
  assert.ok(written.bytes > 100_000, `${written.bytes}`)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  await assert.rejects(host.backup({ directory }), { code: 'conflict' })
  const lost = (await host.send({ to: 'alice', body: 'say lost' })).id

  await host.shutdown({ stopAgents: true })
  await hive.ended()
  rmSync(hive.stateDir, { recursive: true })
  mkdirSync(hive.stateDir)
  cpSync(directory, hive.stateDir, { recursive: true })
  await hive.start()

  const restored = await hive.host()
  assert.equal((await hive.message(said.id, () => true)).state, 'done')
  await assert.rejects(restored.message({ id: lost }), { code: 'not_found' })
  await restored.start({ agent: 'alice' })
  assert.equal((await hive.message(waiting, ({ state }) => state === 'done')).body, 'say after')
  const alice = await hive.agent('alice', ({ state }) => state === 'idle')
  assert.deepEqual([alice.sha, alice.model], [first.sha, 'opus'])
  assert.ok((await restored.events({ agent: 'alice' })).events.length > 0)
  await approve(hive, pending.id)
  assert.equal((await hive.decided(pending.id)).state, 'deployed')
  const next = await propose(hive, 'alice', { 'agent.json': '{"model":"haiku"}' })
  await approve(hive, next.id)
  assert.equal((await hive.decided(next.id)).state, 'deployed')
})

test('what is left of a destroyed agent is listed, comes back with its notes, or goes for good', {
  timeout: 120_000,
}, async () => {
  await using hive = await startTestHive()
  const host = await hive.host()
  await host.spawn({ name: 'alice' })
  await hive.tell('alice', 'bash echo remembered > /state/notes.md')
  const notes = join(hive.stateDir, 'agents', 'alice', 'state', 'notes.md')
  assert.ok(existsSync(notes))
  await assert.rejects(host.revive({ name: 'alice' }), { code: 'conflict' })
  await assert.rejects(host.purge({ name: 'alice', confirm: 'alice' }), { code: 'conflict' })
  await assert.rejects(host.revive({ name: 'nobody' }), { code: 'not_found' })
  await host.destroy({ agent: 'alice' })
  const { tombstones } = await host.tombstones({})
  assert.deepEqual(
    tombstones.map(({ name, hasLogin }) => [name, hasLogin]),
    [['alice', false]],
  )
  assert.ok((tombstones[0]?.destroyedAt ?? 0) > 0 && (tombstones[0]?.bytes ?? 0) > 0, JSON.stringify(tombstones))

  await host.revive({ name: 'alice' })
  assert.ok(existsSync(notes))
  assert.deepEqual((await host.tombstones({})).tombstones, [])
  assert.equal((await hive.tell('alice', 'say back')).state, 'done')

  await host.destroy({ agent: 'alice' })
  await assert.rejects(host.purge({ name: 'alice', confirm: 'bob' }), { code: 'bad_input' })
  await host.purge({ name: 'alice', confirm: 'alice' })
  assert.equal(existsSync(join(hive.stateDir, 'agents', 'alice')), false)
  assert.deepEqual((await host.tombstones({})).tombstones, [])
  const verbs = (await host.audit({ agent: 'alice' })).entries.map(({ verb }) => verb)
  assert.deepEqual(verbs, ['spawn', 'destroy', 'revive', 'destroy', 'purge'])
})

test('names of agents and units of logs are checked before anything is made of them', { timeout: 60_000 }, async () => {
  await using hive = await startTestHive()
  const host = await hive.host()
  for (const name of ['..', '../../etc', '-x', '__proto__', 'a'.repeat(300), 'a\0b', '/etc/passwd']) {
    await assert.rejects(host.purge({ name, confirm: name }), { code: 'bad_input' }, name)
    await assert.rejects(host.revive({ name }), { code: 'bad_input' }, name)
    await assert.rejects(host.logs({ unit: name }), { code: 'bad_input' }, name)
  }
  await assert.rejects(host.logs({ unit: '--vacuum-size=1' }), { code: 'bad_input' })
  await assert.rejects(host.logs({ unit: 'manager', lines: 5001 }), { code: 'bad_input' })
  await assert.rejects(host.logs({ unit: 'nobody' }), { code: 'not_found' })
  assert.ok(Array.isArray((await host.logs({ unit: 'gateway' })).lines))
})

test('the operator is told of what waits, once, also when the daemon was killed', { timeout: 120_000 }, async () => {
  await using sink = await openSinkServer()
  const settings = { sinks: [{ kind: 'webhook', url: sink.url }], speedup: 100, publicUrl: 'http://hive.example' }
  await using hive = await startTestHive(settings)
  const host = await hive.host()
  const [test] = (await host.notify_test({})).sinks
  assert.equal(test?.problem, null)
  await host.request_spawn({ name: 'alice', reason: 'to help' })
  await sink.requests(2)
  // What it has told is noted before whatever is stored after the answer of the sink.
  for (const body of ['one', 'two', 'three']) await host.send({ to: 'operator', body })
  await hive.kill()
  await hive.start()
  await (await hive.host()).request_spawn({ name: 'bob' })
  await sink.requests(3)
  assert.deepEqual(
    sink.received.slice(1).map(({ body: { title, link } }) => [title, link]),
    [
      ['Approval 1: spawn alice', 'http://hive.example/approvals/1'],
      ['Approval 2: spawn bob', 'http://hive.example/approvals/2'],
    ],
  )
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isAlive } from '../../src/kit/detached.ts'
import { startTestHive, type TestHive } from '../hive.ts'

describe('what ends without being asked to', { timeout: 120_000 }, () => {
  let hive: TestHive
  before(async () => {
    hive = await startTestHive()
    const host = await hive.host()
    await Promise.all(['alice', 'bob'].map((name) => host.spawn({ name })))
  })
  after(() => hive[Symbol.asyncDispose]())

  const endOf = async (name: string, body: string) => {
    const done = await hive.tell(name, body)
    assert.deepEqual([done.state, done.error], ['done', null])
    return done
  }

  test('a harness in the middle of a turn: its container is started again, the message comes a second time', async () => {
    const { id } = await (await hive.host()).send({ to: 'alice', body: 'bash echo x >> /state/times; sleep 1' })
    await hive.model.asked('/state/times')
    const before = hive.processes('alice').harness
    process.kill(before, 'SIGKILL')
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [2, 1])
    assert.notEqual(hive.processes('alice').harness, before)
    await hive.agent('alice', ({ state }) => state === 'idle')
    assert.deepEqual((await (await hive.host()).needs({})).needs, [])
  })

  test('the daemon while an agent thinks: the same engine ends the same turn', async () => {
    const { id } = await (await hive.host()).send({ to: 'alice', body: 'mumble 1500' })
    await hive.model.asked('mumble 1500')
    const before = hive.processes('alice')
    assert.ok(before.engine)
    const asked = hive.model.requests.length
    await hive.kill()
    await hive.start()
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [1, 0])
    assert.deepEqual(hive.processes('alice'), before)
    assert.equal(hive.model.requests.length, asked)
  })

  test('the daemon between turns: the agents stay, with their login and their engine', async () => {
    await endOf('alice', 'say warm')
    const before = [hive.processes('alice'), hive.processes('bob')]
    await hive.stop()
    await hive.start()
    assert.equal((await hive.agent('alice', ({ state }) => state === 'idle')).parked, null)
    assert.equal((await endOf('alice', 'say still warm')).attempt, 1)
    await hive.agent('bob', ({ state }) => state === 'idle')
    assert.deepEqual([hive.processes('alice'), hive.processes('bob')], before)
  })

  test('the daemon while an agent is made: it is there afterwards, and works', async () => {
    const spawning = (await hive.host()).spawn({ name: 'carol' }).catch(() => 'the connection broke')
    const logged = async () => {
      while (!(await (await hive.host()).list({})).agents.some(({ name }) => name === 'carol'));
    }
    await logged()
    await hive.kill()
    await spawning
    await hive.start()
    assert.equal((await endOf('carol', 'say born')).attempt, 1)
  })

  test('the daemon while an agent is stopped: it stays stopped until it is started, its mail waits', async () => {
    const host = await hive.host()
    await host.kill({ agent: 'bob' })
    const { id } = await host.send({ to: 'bob', body: 'say at last' })
    await hive.kill()
    await hive.start()
    assert.equal((await hive.agent('bob', () => true)).state, 'stopped')
    assert.equal((await hive.message(id, () => true)).state, 'queued')
    await (await hive.host()).start({ agent: 'bob' })
    assert.equal((await hive.message(id, ({ state }) => state === 'done')).attempt, 1)
  })

  test('the gateway: the daemon starts another, and turns go on', async () => {
    const gateway = () => JSON.parse(readFileSync(join(hive.stateDir, 'gateway.process.json'), 'utf8'))
    const before = gateway()
    process.kill(before.pid, 'SIGKILL')
    while (gateway().pid === before.pid || !isAlive(gateway())) await (await hive.host()).ping({})
    assert.equal((await endOf('alice', 'say through another gateway')).failures, 0)
    assert.deepEqual((await (await hive.host()).status({})).errors, [])
  })

  test('a daemon that finds another at work leaves everything alone', async () => {
    const argv = ['serve', '--state-dir', hive.stateDir, '--run-dir', hive.runDir]
    const second = spawn(join(import.meta.dirname, '../../bin/hive'), argv, { stdio: 'ignore' })
    const [code] = await once(second, 'exit')
    assert.notEqual(code, 0)
    assert.equal((await (await hive.host()).ping({})).pid, hive.daemonPid())
    assert.equal((await endOf('alice', 'say undisturbed')).attempt, 1)
  })
})

describe('a daemon that ends, or stands still', { timeout: 120_000 }, () => {
  test('and finds the directory of one agent damaged serves the others, and that one when it is mended', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await Promise.all(['alice', 'bob'].map((name) => host.spawn({ name })))
    await hive.stop()
    const directory = join(hive.runDir, 'agents/alice')
    rmSync(directory, { recursive: true })
    writeFileSync(directory, '')
    await hive.start()
    const failed = await hive.agent('alice', ({ state }) => state === 'failed')
    assert.match(failed.detail ?? '', /its socket cannot be made/)
    assert.equal((await hive.tell('bob', 'say undisturbed')).state, 'done')
    rmSync(directory)
    await (await hive.host()).start({ agent: 'alice' })
    assert.equal((await hive.tell('alice', 'say mended')).attempt, 1)
  })

  test('stops all agents, also one whose record is damaged', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await Promise.all(['alice', 'bob'].map((name) => host.spawn({ name })))
    const harnesses = ['alice', 'bob'].map((name) => hive.processes(name).harness)
    const runFile = join(hive.stateDir, 'containers/h-alice/run.json')
    writeFileSync(runFile, 'damaged')
    await host.shutdown({ stopAgents: true })
    await hive.ended()
    assert.deepEqual(
      harnesses.filter((pid) => existsSync(`/proc/${pid}`)),
      [],
    )
    assert.match(hive.log(), /run.json cannot be read/)
  })

  test('is not waited for by another one', async () => {
    await using hive = await startTestHive()
    process.kill(hive.daemonPid(), 'SIGSTOP')
    try {
      const argv = ['serve', '--state-dir', hive.stateDir, '--run-dir', hive.runDir]
      const second = spawn(join(import.meta.dirname, '../../bin/hive'), argv, { stdio: ['ignore', 'ignore', 'pipe'] })
      const [text, [code]] = await Promise.all([new Response(second.stderr as never).text(), once(second, 'exit')])
      assert.notEqual(code, 0)
      assert.match(text, /listens on .* and does not answer/)
    } finally {
      process.kill(hive.daemonPid(), 'SIGCONT')
    }
  })

  test('with a run directory that is too long for the sockets of agents says so at its start', async () => {
    const runDir = join('/tmp', 'r'.repeat(78 - '/tmp/'.length + 1))
    const directory = mkdtempSync('/tmp/hive-')
    try {
      const argv = ['serve', '--state-dir', directory, '--run-dir', runDir]
      const daemon = spawn(join(import.meta.dirname, '../../bin/hive'), argv, { stdio: ['ignore', 'ignore', 'pipe'] })
      const [text, [code]] = await Promise.all([new Response(daemon.stderr as never).text(), once(daemon, 'exit')])
      assert.notEqual(code, 0)
      assert.match(text, /too long/)
      assert.ok(!existsSync(runDir))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('a container that keeps ending', { timeout: 120_000 }, () => {
  test('is given up and shown once; started by hand it works on what waited', async () => {
    await using hive = await startTestHive()
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    for (let ends = 0; ends < 5; ends++) {
      await hive.agent('alice', ({ state }) => state === 'idle')
      process.kill(hive.processes('alice').harness, 'SIGKILL')
      await hive.agent('alice', ({ state }) => state !== 'idle')
    }
    const failed = await hive.agent('alice', ({ state }) => state === 'failed')
    assert.match(failed.detail ?? '', /ended 5 times.*SIGKILL/)
    const { needs } = await host.needs({})
    assert.deepEqual(
      needs.map((need) => [need.kind, 'agent' in need && need.agent]),
      [['failed', 'alice']],
    )
    const { id } = await host.send({ to: 'alice', body: 'say recovered' })
    await host.start({ agent: 'alice' })
    assert.equal((await hive.message(id, ({ state }) => state === 'done')).failures, 0)
    assert.deepEqual((await host.needs({})).needs, [])
  })
})

describe('a harness that falls silent', { timeout: 60_000 }, () => {
  test('is killed and started again; its message comes a second time', async () => {
    await using hive = await startTestHive({ silentSeconds: 3 })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const before = hive.processes('alice').harness
    const { id } = await host.send({ to: 'alice', body: 'mumble 1000' })
    await hive.model.asked('mumble 1000')
    process.kill(before, 'SIGSTOP')
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [2, 1])
    assert.notEqual(hive.processes('alice').harness, before)
  })

  test('while the daemon was away too is killed and started again when that is back', async () => {
    await using hive = await startTestHive({ silentSeconds: 3 })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const before = hive.processes('alice').harness
    const { id } = await host.send({ to: 'alice', body: 'mumble 1000' })
    await hive.model.asked('mumble 1000')
    process.kill(before, 'SIGSTOP')
    await hive.kill()
    await hive.start()
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, done.failures], [2, 1])
    assert.notEqual(hive.processes('alice').harness, before)
  })

  test('is left alone while it only thinks for longer than that', async () => {
    await using hive = await startTestHive({ silentSeconds: 3 })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    assert.equal((await hive.tell('alice', 'bash sleep 5')).attempt, 1)
  })
})

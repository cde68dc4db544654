import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openHiveDatabase } from '../../src/host/database.ts'
import { connectOps, type OpConnection } from '../../src/kit/op-client.ts'
import { HiveError } from '../../src/wire/errors.ts'
import type { Message } from '../../src/wire/things.ts'
import { brokerOps } from './broker-ops.ts'

const AGENTS = ['a1', 'a2', 'a3', 'a4']
const DAEMON_KILLS = 60
const CONSUMER_KILLS = 200

test('kill -9 of the broker and of its consumers loses nothing and doubles nothing', {
  timeout: 240_000,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'kill-loop-'))
  const socket = join(directory, 's.sock')
  const database = join(directory, 'hive.sqlite')
  let server: ChildProcess
  const startServer = async () => {
    server = spawn(process.execPath, [join(import.meta.dirname, 'broker-program.ts'), database, socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await Promise.race([
      once(server.stdout as NodeJS.ReadableStream, 'data'),
      once(server, 'exit').then(() => assert.fail('the broker does not start')),
    ])
  }
  const killServer = async () => {
    if (server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill('SIGKILL')
    await ended
  }
  /** Connects as soon as the broker is there. */
  const connect = async (): Promise<OpConnection<typeof brokerOps>> => {
    for (;;) {
      try {
        return await connectOps(brokerOps, socket)
      } catch (error) {
        assert.ok(error instanceof HiveError && error.code === 'unreachable')
        await sleep(10)
      }
    }
  }

  let sending = true
  let consuming = true
  let daemonKills = 0
  let consumerKills = 0
  let retries = 0
  /** Key of every send that was answered → the id that it was given. */
  const confirmed = new Map<string, number>()
  /** Ids whose ack was confirmed. */
  const acked = new Set<number>()
  /** Turns whose ack was confirmed: the message that woke each, and its attempt. */
  const ended = new Set<string>()
  /** Id → attempts that consumers saw, in order. */
  const attempts = new Map<number, number[]>()

  const runSender = async (name: string) => {
    let connection = await connect()
    for (let n = 0; sending; n += 1) {
      const key = `${name}-${n}`
      for (;;) {
        try {
          const to = AGENTS[n % AGENTS.length] as string
          const { ids } = await connection.call.send({ from: name, to, body: `message ${key}`, key })
          confirmed.set(key, ids[0] as number)
          break
        } catch (error) {
          assert.ok(error instanceof HiveError && error.code === 'unreachable', String(error))
          retries += 1
          connection = await connect()
        }
      }
      await sleep(2)
    }
    connection.close()
  }

  /** One process after the other takes the mail of an agent; each is killed after a while. */
  const runConsumer = async (agent: string) => {
    while (consuming) {
      const argv = [join(import.meta.dirname, 'consumer-program.ts'), socket, agent]
      const consumer = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
      const closed = once(consumer, 'close')
      const lines = createInterface({ input: consumer.stdout })
      lines.on('line', (line) => {
        const [verb, id, attempt] = line.split(' ')
        if (verb === 'acked') acked.add(Number(id))
        else if (verb === 'ended') ended.add(`${id} ${attempt}`)
        else attempts.set(Number(id), [...(attempts.get(Number(id)) ?? []), Number(attempt)])
      })
      // It has to get to work before it is killed.
      await Promise.race([once(lines, 'line'), closed])
      const stop = new AbortController()
      const life = sleep(Math.random() * 60, undefined, { signal: stop.signal }).catch(() => {})
      await Promise.race([life, closed])
      // While the test winds down the last ones work on.
      while (!sending && consuming) await sleep(20)
      stop.abort()
      assert.equal(consumer.exitCode, null, 'a consumer ended by itself')
      consumer.kill('SIGKILL')
      consumerKills += 1
      await closed
    }
  }

  try {
    await startServer()
    const senders = ['s1', 's2', 's3', 's4'].map(runSender)
    const consumers = AGENTS.map(runConsumer)
    while (daemonKills < DAEMON_KILLS || consumerKills < CONSUMER_KILLS) {
      await sleep(50 + Math.random() * 300)
      await killServer()
      daemonKills += 1
      await startServer()
    }
    sending = false
    await Promise.all(senders)
    assert.ok(consumerKills >= CONSUMER_KILLS && daemonKills >= DAEMON_KILLS)

    let rows: (Message & { key: string | null })[]
    const observer = await connect()
    do {
      rows = (await observer.call.rows({})).messages
      await sleep(100)
      // Nobody reads the news of dead letters here.
    } while (rows.some(({ state, from }) => from !== 'system' && (state === 'queued' || state === 'leased')))
    consuming = false
    await Promise.all(consumers)
    observer.close()

    const sent = rows.filter(({ from }) => from !== 'system')
    const byKey = Map.groupBy(sent, ({ key }) => key)
    const lost = [...confirmed].filter(([key, id]) => byKey.get(key)?.[0]?.id !== id)
    assert.deepEqual(lost, [], 'a confirmed send is not there')
    assert.deepEqual(
      [...byKey].filter(([, same]) => same.length > 1),
      [],
      'a key has two rows',
    )
    for (const { id, state, failures, attempt } of sent) {
      assert.equal(state === 'dead', failures >= 3, `message ${id}: ${state} with ${failures} failures`)
      assert.ok(attempt > failures || state === 'dead', `message ${id}: ${attempt} attempts, ${failures} failures`)
    }
    const byId = new Map(sent.map((message) => [message.id, message]))
    const undone = [...acked].filter((id) => byId.get(id)?.state !== 'done' && byId.has(id))
    assert.deepEqual(undone, [], 'a confirmed ack was forgotten')
    for (const [id, seen] of attempts) {
      assert.deepEqual(
        seen,
        [...seen].sort((a, b) => a - b),
        `message ${id} came in attempts ${seen}`,
      )
      const final = byId.get(id)
      if (final && acked.has(id))
        assert.equal(seen.at(-1), final.attempt, `message ${id} was worked on again after its ack`)
    }
    await killServer()
    using db = openHiveDatabase(database)
    const booked = db.all('SELECT message, attempt, reason, day, agent, model FROM turns')
    const turns = Map.groupBy(booked, ({ message, attempt }) => `${message} ${attempt}`)
    assert.equal(turns.size, booked.length, 'a turn was booked twice')
    const unbooked = [...ended].filter((turn) => turns.get(turn)?.[0]?.reason !== 'ok')
    assert.deepEqual(unbooked, [], 'a turn that was acked is not booked')
    const sums = db.all('SELECT turns FROM usage').reduce((sum, { turns }) => sum + Number(turns), 0)
    assert.equal(sums, booked.length)
    const redelivered = sent.filter(({ attempt }) => attempt > 1).length
    const dead = sent.filter(({ state }) => state === 'dead').length
    t.diagnostic(
      `${daemonKills} kills of the broker, ${consumerKills} of consumers, ${confirmed.size} confirmed sends, ${retries} retries, ` +
        `${acked.size} confirmed acks, ${redelivered} redelivered, ${dead} dead, 0 lost, 0 double`,
    )
  } finally {
    sending = false
    consuming = false
    await killServer()
    rmSync(directory, { recursive: true })
  }
})

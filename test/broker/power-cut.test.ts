import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openHiveDatabase } from '../../src/host/database.ts'
import { connectOps } from '../../src/kit/op-client.ts'
import { brokerOps } from './broker-ops.ts'
import { openLoopDisk, whyNoLoopDisk } from './loop-disk.ts'

const ROUNDS = 3
/** Confirmed sends before the power goes. */
const ENOUGH = 3_000

test('a power cut loses no confirmed message and forgets no confirmed ack', { timeout: 120_000 }, async (t) => {
  const why = await whyNoLoopDisk()
  if (why) return t.skip(why)
  for (let round = 0; round < ROUNDS; round += 1) {
    await using disk = await openLoopDisk(128)
    const sockets = mkdtempSync(join(tmpdir(), 'power-'))
    const socket = join(sockets, 's.sock')
    const database = join(disk.path, 'hive.sqlite')
    const program = join(import.meta.dirname, 'broker-program.ts')
    const server = spawn(process.execPath, [program, database, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await once(server.stdout, 'data')
      const confirmed = new Map<string, number>()
      let powered = true
      const sendUntilDark = async (name: string) => {
        const { call } = await connectOps(brokerOps, socket)
        for (let n = 0; powered; n += 1) {
          const key = `${name}-${n}`
          const { ids } = await call.send({ from: name, to: 'a1', body: key, key })
          if (powered) confirmed.set(key, ids[0] as number)
        }
      }
      const acked = new Set<number>()
      const ackUntilDark = async (agent: string) => {
        const { call } = await connectOps(brokerOps, socket)
        const { epoch } = await call.hello({ agent })
        while (powered) {
          const { messages } = await call.recv({ agent, epoch, waitMs: 1_000, max: 10 })
          const ids = messages.map(({ id }) => id)
          if (ids.length === 0) continue
          await call.ack({ agent, epoch, ids })
          if (powered) for (const id of ids) acked.add(id)
        }
      }
      const consumer = ackUntilDark('a1').catch(() => {})
      const senders = Array.from({ length: 8 }, (_, index) => sendUntilDark(`s${index}`).catch(() => {}))
      while (confirmed.size < ENOUGH) await new Promise((resolve) => setTimeout(resolve, 5))
      await disk.cutPower()
      powered = false
      server.kill('SIGKILL')
      await once(server, 'exit')
      await Promise.all([...senders, consumer])

      await disk.mountAgain()
      using db = openHiveDatabase(database)
      const rows = db.all('SELECT id, key, state FROM messages')
      const stored = new Map(rows.map(({ id, key }) => [String(key), Number(id)]))
      const done = new Set(rows.filter(({ state }) => state === 'done').map(({ id }) => Number(id)))
      const lost = [...confirmed].filter(([key, id]) => stored.get(key) !== id)
      assert.deepEqual(lost, [])
      const forgotten = [...acked].filter((id) => !done.has(id))
      assert.deepEqual(forgotten, [])
      assert.ok(acked.size > 0)
      t.diagnostic(`round ${round + 1}: ${confirmed.size} sends and ${acked.size} acks confirmed, none lost`)
    } finally {
      server.kill('SIGKILL')
      rmSync(sockets, { recursive: true })
    }
  }
})

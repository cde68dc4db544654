import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../kit/detached.ts'
import { createLog } from '../kit/log.ts'
import { Companion, endCompanion, type Identity } from './companion.ts'

/** Says to whoever connects who it is. */
const PROGRAM = `
  const { rmSync } = require('node:fs')
  const [socket, revision] = process.argv.slice(1)
  rmSync(socket, { force: true })
  require('node:net').createServer((c) => c.on('error', () => {}).end(JSON.stringify({ pid: process.pid, revision }))).listen(socket)
`

async function openHome() {
  const directory = mkdtempSync(join(tmpdir(), 'companion-'))
  const socket = join(directory, 'socket')
  const recordFile = join(directory, 'it.process.json')
  const opened: Companion[] = []
  const ask = async (signal: AbortSignal): Promise<Identity> => {
    const connection = createConnection({ path: socket, signal })
    await once(connection, 'connect')
    return JSON.parse(await new Response(connection as never).text())
  }
  let asks = 0
  const noSignal = new AbortController().signal
  return {
    recordFile,
    /** How often a companion was asked. */
    asks: () => asks,
    /** Whoever answers now. */
    pid: async (): Promise<number | undefined> => (await ask(noSignal).catch(() => undefined))?.pid,
    open: async (revision: string, onUp?: () => Promise<void>) => {
      const companion = new Companion({
        name: 'it',
        stateDir: directory,
        argv: async () => [process.execPath, '-e', PROGRAM, socket, revision],
        revision,
        ask(signal) {
          asks += 1
          return ask(signal)
        },
        onUp,
        log: createLog('silent'),
        times: { lookMs: 20, askMs: 100, patienceMs: 1_000, startMs: 30_000, retryMs: { first: 20, longest: 100 } },
      })
      opened.push(companion)
      await companion.open()
      return companion
    },
    async [Symbol.asyncDispose]() {
      for (const companion of opened) await companion[Symbol.asyncDispose]()
      await endCompanion({ name: 'it', stateDir: directory })
      rmSync(directory, { recursive: true })
    },
  }
}

const until = async (holds: () => unknown): Promise<void> => {
  while (!(await holds())) await sleep(10)
}

describe('a companion', { timeout: 60_000 }, () => {
  test('is adopted by the next daemon, also when its record is lost or damaged', async () => {
    await using home = await openHome()
    const first = await home.open('r1')
    const pid = await home.pid()
    await first[Symbol.asyncDispose]()
    rmSync(home.recordFile)
    await (await home.open('r1'))[Symbol.asyncDispose]()
    assert.equal(await home.pid(), pid)
    writeFileSync(home.recordFile, '{"pid":')
    await home.open('r1')
    assert.equal(await home.pid(), pid)
    assert.equal(JSON.parse(readFileSync(home.recordFile, 'utf8')).pid, pid)
  })

  test('comes up although it cannot be recorded, which is done later', async () => {
    await using home = await openHome()
    mkdirSync(home.recordFile)
    await home.open('r1')
    const pid = await home.pid()
    rmdirSync(home.recordFile)
    await until(() => existsSync(home.recordFile))
    assert.equal(JSON.parse(readFileSync(home.recordFile, 'utf8')).pid, pid)
  })

  test('of another revision is replaced, also when its record is lost', async () => {
    await using home = await openHome()
    const first = await home.open('r1')
    const before = JSON.parse(readFileSync(home.recordFile, 'utf8'))
    await first[Symbol.asyncDispose]()
    rmSync(home.recordFile)
    await home.open('r2')
    assert.notEqual(await home.pid(), before.pid)
    assert.equal(isAlive(before), false)
  })

  test('is started again when it is gone, and replaced when it hangs', async () => {
    await using home = await openHome()
    let ups = 0
    const companion = await home.open('r1', async () => {
      ups += 1
    })
    const first = JSON.parse(readFileSync(home.recordFile, 'utf8'))
    process.kill(first.pid, 'SIGKILL')
    await until(() => ups === 1)
    const second = JSON.parse(readFileSync(home.recordFile, 'utf8'))
    assert.notEqual(second.pid, first.pid)
    process.kill(second.pid, 'SIGSTOP')
    await until(() => companion.errors().length === 1)
    await until(() => ups === 2)
    assert.equal(isAlive(second), false)
    await until(() => companion.errors().length === 0)
  })

  test('runs on when the daemon ends while it is being asked', async () => {
    await using home = await openHome()
    const companion = await home.open('r1')
    const found = JSON.parse(readFileSync(home.recordFile, 'utf8'))
    process.kill(found.pid, 'SIGSTOP')
    const before = home.asks()
    await until(() => home.asks() > before)
    await companion[Symbol.asyncDispose]()
    process.kill(found.pid, 'SIGCONT')
    assert.equal(await home.pid(), found.pid)
    assert.ok(isAlive(found))
  })

  test('stays the same while what it is told at its start fails', async () => {
    await using home = await openHome()
    let ups = 0
    const companion = await home.open('r1', async () => {
      ups += 1
      if (ups < 4) throw new Error('not yet')
    })
    process.kill((await home.pid()) as number, 'SIGKILL')
    await until(() => ups === 1)
    const pid = await home.pid()
    assert.match(companion.errors()[0]?.problem ?? '', /not yet/)
    await until(() => ups === 4 && companion.errors().length === 0)
    assert.equal(await home.pid(), pid)
  })
})

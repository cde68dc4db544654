import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectOps, type OpConnection } from '../../src/kit/op-client.ts'
import { hostSocketPath } from '../../src/kit/settings.ts'
import { hostOps } from '../../src/wire/host-ops.ts'

const BIN = join(import.meta.dirname, '../../bin/hive')

/** A demo hive in a directory of its own, as `npm start` makes it where nothing is configured. */
async function openDemoHive() {
  const directory = mkdtempSync('/tmp/demo-')
  chmodSync(directory, 0o711)
  const stateDir = join(directory, 'state')
  let daemon: ChildProcess | undefined
  let connection: OpConnection<typeof hostOps> | undefined
  const hive = {
    stateDir,
    portFile: join(stateDir, 'model.port'),
    modelPid: (): number => JSON.parse(readFileSync(join(stateDir, 'model.process.json'), 'utf8')).pid,
    host: () => connection?.call as OpConnection<typeof hostOps>['call'],
    async start() {
      const output = openSync(join(directory, 'log'), 'a')
      const env = { ...process.env, XDG_CONFIG_HOME: directory, HIVE_CONFIG: undefined }
      daemon = spawn(BIN, ['serve', '--state-dir', stateDir], { stdio: ['ignore', output, output], env })
      for (;;) {
        if (daemon.exitCode !== null) throw new Error(readFileSync(join(directory, 'log'), 'utf8'))
        connection = await connectOps(hostOps, hostSocketPath(join(stateDir, 'run'))).catch(() => undefined)
        if (connection) return
        await sleep(20)
      }
    },
    async end(how: 'SIGKILL' | 'SIGTERM') {
      const ended = once(daemon as ChildProcess, 'exit')
      daemon?.kill(how)
      await ended
    },
    async tell(to: string, body: string) {
      const { id } = await hive.host().send({ to, body })
      for (;;) {
        const { message } = await hive.host().message({ id })
        if (message.state === 'done' || message.state === 'dead') return message
        await sleep(20)
      }
    },
    /** Resolves when the agents of the demo have been made. */
    async seeded() {
      while ((await hive.host().list({})).agents.filter(({ state }) => state === 'idle').length < 3) await sleep(20)
    },
    async [Symbol.asyncDispose]() {
      if (daemon?.exitCode === null && daemon.signalCode === null) {
        const ended = once(daemon, 'exit')
        await hive.host().shutdown({ stopAgents: true })
        await ended
      }
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return hive
}

describe('a demo', { timeout: 180_000 }, () => {
  test('goes on when its model was killed, and when a stranger took its port', async () => {
    await using hive = await openDemoHive()
    await hive.start()
    await hive.seeded()
    const before = hive.modelPid()
    process.kill(before, 'SIGKILL')
    assert.equal((await hive.tell('alice', 'say back')).state, 'done')
    assert.notEqual(hive.modelPid(), before)
    while ((await hive.host().status({})).errors.length > 0) await sleep(20)

    const port = readFileSync(hive.portFile, 'utf8')
    await hive.end('SIGKILL')
    process.kill(hive.modelPid(), 'SIGKILL')
    const stranger = createServer((_, response) => response.end('{}'))
    try {
      do {
        stranger.listen(Number(port), '127.0.0.1')
      } while (!(await once(stranger, 'listening').catch(() => false)))
      await hive.start()
      assert.notEqual(readFileSync(hive.portFile, 'utf8'), port)
      assert.equal((await hive.tell('alice', 'say elsewhere')).state, 'done')
    } finally {
      stranger.close()
      stranger.closeAllConnections()
    }
  })
})

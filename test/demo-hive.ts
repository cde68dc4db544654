import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../src/kit/free-port-in-test.ts'
import { connectOps, type OpConnection } from '../src/kit/op-client.ts'
import { hostSocketPath } from '../src/kit/settings.ts'
import { hostOps } from '../src/wire/host-ops.ts'

const BIN = join(import.meta.dirname, '../bin/hive')

/** A demo hive in a directory of its own, as `npm start` makes it where nothing is configured. */
export async function openDemoHive() {
  const directory = mkdtempSync('/tmp/demo-')
  chmodSync(directory, 0o711)
  const stateDir = join(directory, 'state')
  const port = await freePort()
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
      daemon = spawn(BIN, ['serve', '--state-dir', stateDir, '--port', String(port)], {
        stdio: ['ignore', output, output],
        env,
      })
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

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentRegistry } from '../src/host/agents/registry.ts'
import { SqliteStore } from '../src/host/broker/sqlite-store.ts'
import { endCompanion } from '../src/host/companion.ts'
import { openHiveDatabase } from '../src/host/database.ts'
import { createLayout, makeHiveDirectories } from '../src/host/layout.ts'
import { connectOps } from '../src/kit/op-client.ts'
import { HiveError } from '../src/wire/errors.ts'
import { hostOps } from '../src/wire/host-ops.ts'
import { MANAGER } from '../src/wire/names.ts'

/** As `bin/hive` runs it. */
const NODE_FLAGS = ['--max-semi-space-size=2']
const MAIN = join(import.meta.dirname, '../dist/main.js')

/** Caps are raised so that a benchmark meets the broker and not its rules. */
export const UNLIMITED = {
  sendPerSecond: 1_000_000,
  sendBurst: 1_000_000,
  requestsPerSecond: 1_000_000,
  inboxCap: 1_000_000,
  chainPerMinute: 1_000_000,
  slots: 10_000,
}

export interface BenchHive extends AsyncDisposable {
  /** Of the daemon. */
  readonly pid: number
  /** From the start of the program until it answered its operator. */
  readonly startMs: number
  socketOf(agent: string): string
}

export const agentNames = (count: number): string[] => Array.from({ length: count }, (_, i) => `a${i}`)

export interface BenchHiveOptions {
  readonly agents: readonly string[]
  readonly settings: Record<string, unknown>
  /** Messages that wait in the inboxes, spread over all agents, when the daemon starts. */
  readonly queued?: number
}

/**
 * Starts the built `hive serve` on a state directory where the agents exist and are stopped: their sockets are open
 * and the benchmark plays their harnesses. With HIVE_BENCH_PROFILE=<dir> the daemon writes a processor profile there.
 */
export async function openBenchHive({ agents, settings, queued = 0 }: BenchHiveOptions): Promise<BenchHive> {
  const directory = mkdtempSync('/tmp/hive-bench-')
  chmodSync(directory, 0o711)
  const layout = createLayout({ stateDir: join(directory, 'state'), runDir: join(directory, 'run') })
  makeHiveDirectories(layout, process.getuid?.() ?? 0)
  await seed(layout.database, agents, queued)
  const config = join(directory, 'hive.json')
  writeFileSync(config, JSON.stringify({ logLevel: 'warn', ...settings }))
  const startedAt = performance.now()
  const { daemon, log } = startDaemon(directory, config)
  await waitUntilServing(daemon, layout.hostSocket, log)
  return {
    pid: daemon.pid ?? 0,
    startMs: performance.now() - startedAt,
    socketOf: (agent) => layout.agent(agent).socket,
    async [Symbol.asyncDispose]() {
      const ended = once(daemon, 'exit')
      daemon.kill('SIGTERM')
      await ended
      // It outlives a daemon on purpose.
      await endCompanion({ name: 'gateway', stateDir: layout.stateDir })
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function seed(database: string, agents: readonly string[], queued: number): Promise<void> {
  using db = openHiveDatabase(database)
  const registry = new AgentRegistry(db)
  const names = [MANAGER, ...agents]
  await Promise.all(names.map((name) => registry.create(name, Date.now())))
  await Promise.all(names.map((name) => registry.setDesired(name, 'stopped')))
  const store = new SqliteStore({ db, inboxCap: Number.POSITIVE_INFINITY, maxHops: 1 })
  for (let sent = 0; sent < queued; sent += agents.length) {
    const to = agents.slice(0, queued - sent)
    await store.send({ from: MANAGER, to, body: 'x'.repeat(1024) })
  }
}

function startDaemon(directory: string, config: string): { daemon: ChildProcess; log: string } {
  const log = join(directory, 'daemon.log')
  const output = openSync(log, 'a')
  const [stateDir, runDir] = [join(directory, 'state'), join(directory, 'run')]
  const profile = process.env.HIVE_BENCH_PROFILE
  const node = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []
  if (!existsSync(MAIN)) throw new Error('run `npm run build` first: what is measured is the built package')
  const argv = [
    ...NODE_FLAGS,
    ...node,
    MAIN,
    'serve',
    '--no-demo',
    '--state-dir',
    stateDir,
    '--run-dir',
    runDir,
    '--config',
    config,
  ]
  return { daemon: spawn(process.execPath, argv, { stdio: ['ignore', output, output] }), log }
}

async function waitUntilServing(daemon: ChildProcess, socket: string, log: string): Promise<void> {
  for (;;) {
    if (daemon.exitCode !== null) throw new Error(`the daemon ended:\n${readFileSync(log, 'utf8')}`)
    try {
      await using connection = await connectOps(hostOps, socket)
      await connection.call.ping({})
      return
    } catch (error) {
      if (!(error instanceof HiveError) || error.code !== 'unreachable') throw error
      await sleep(5)
    }
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Scenarios } from '../src/demo/scenario.ts'
import { isAlive, type ProcessId } from '../src/kit/detached.ts'
import { freePort } from '../src/kit/free-port-in-test.ts'
import { connectOps, type OpConnection } from '../src/kit/op-client.ts'
import { hostSocketPath } from '../src/kit/settings.ts'
import type { Approval } from '../src/wire/approvals.ts'
import { HiveError } from '../src/wire/errors.ts'
import { hostOps } from '../src/wire/host-ops.ts'
import { containerName } from '../src/wire/names.ts'
import type { Agent, Message } from '../src/wire/things.ts'
import { openTestModel, type TestModel } from './test-model.ts'

const BIN = join(import.meta.dirname, '../bin/hive')

export interface TestHive extends AsyncDisposable {
  readonly directory: string
  readonly stateDir: string
  readonly runDir: string
  readonly model: TestModel
  /** Of the dashboard. */
  readonly port: number
  /** Connects anew after the daemon was away. */
  host(): Promise<OpConnection<typeof hostOps>['call']>
  /** Starts the daemon, with other settings if they are given, and waits until it serves. It kills itself at `failPoint`. */
  start(settings?: TestSettings, failPoint?: string): Promise<void>
  /** `kill -9`. */
  kill(): Promise<void>
  /** Ends the daemon; agents run on. */
  stop(): Promise<void>
  /** Resolves when the daemon has ended. */
  ended(): Promise<void>
  /** What the daemon wrote. */
  log(): string
  daemonPid(): number
  /** The harness of an agent and, while it runs, its engine, as the host numbers them. */
  processes(agent: string): { harness: number; engine: number | undefined }
  /** Resolves with the message once `holds`; a test that waits in vain is ended by its own timeout. */
  message(id: number, holds: (message: Message) => boolean): Promise<Message>
  /** Resolves with the agent once `holds`. */
  agent(name: string, holds: (agent: Agent) => boolean): Promise<Agent>
  /** Resolves with the approval when nothing goes on with it any more; connects anew when the daemon is started again. */
  decided(id: number): Promise<Approval>
  /** What the model said last in the turn that a message woke, once that has ended. */
  output(agent: string, id: number): Promise<string>
  /** Sends as the operator and resolves with the message when it is done or dead. */
  tell(agent: string, body: string): Promise<Message>
}

/** What the config file says besides which model to ask. */
export type TestSettings = { agentEnv?: Record<string, string>; [key: string]: unknown }

/** A hive of its own in a temporary directory: real daemon, real sandboxes, real engine, scripted model. */
export async function startTestHive(
  initial: TestSettings = {},
  { bin = BIN, stateDir: elsewhere, scenarios = {} }: { bin?: string; stateDir?: string; scenarios?: Scenarios } = {},
): Promise<TestHive> {
  const directory = mkdtempSync('/tmp/hive-')
  // Agents have uids of their own and pass through it.
  chmodSync(directory, 0o711)
  const stateDir = elsewhere ?? join(directory, 'state')
  const runDir = join(directory, 'run')
  const model = await openTestModel(scenarios)
  const config = join(directory, 'hive.json')
  const port = await freePort()
  const writeConfig = (settings: TestSettings) =>
    writeFileSync(
      config,
      JSON.stringify({
        port,
        // They follow from the names, so that hives beside each other would have the same ones.
        agentPorts: false,
        ...settings,
        agentEnv: {
          ANTHROPIC_BASE_URL: model.url,
          CLAUDE_CODE_MAX_RETRIES: '1',
          ...(settings.agentEnv ?? { ANTHROPIC_API_KEY: 'sk-ant-test' }),
        },
      }),
    )
  const logFile = join(directory, 'daemon.log')
  let daemon: ChildProcess | undefined
  let connection: OpConnection<typeof hostOps> | undefined

  const connect = async () => {
    for (;;) {
      if (daemon?.exitCode !== null) throw new Error(`the daemon ended:\n${readFileSync(logFile, 'utf8')}`)
      try {
        return await connectOps(hostOps, hostSocketPath(runDir))
      } catch (error) {
        if (!(error instanceof HiveError) || error.code !== 'unreachable') throw error
        await sleep(20)
      }
    }
  }
  const hive: TestHive = {
    directory,
    stateDir,
    runDir,
    model,
    port,
    async start(settings, failPoint) {
      if (settings) writeConfig(settings)
      const output = openSync(logFile, 'a')
      const argv = ['serve', '--state-dir', stateDir, '--run-dir', runDir, '--config', config]
      const env = { ...process.env, HIVE_FAIL_POINT: failPoint }
      daemon = spawn(bin, argv, { stdio: ['ignore', output, output], env })
      connection = await connect()
    },
    async host() {
      if (!connection) throw new Error('the hive was not started')
      return connection.call
    },
    async kill() {
      if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return
      const ended = once(daemon, 'exit')
      daemon.kill('SIGKILL')
      await ended
    },
    async stop() {
      if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return
      const ended = once(daemon, 'exit')
      daemon.kill('SIGTERM')
      await ended
    },
    async ended() {
      if (daemon && daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit')
    },
    log: () => readFileSync(logFile, 'utf8'),
    daemonPid: () => daemon?.pid ?? 0,
    processes(agent) {
      const name = containerName(agent)
      const harness: number = JSON.parse(readFileSync(join(stateDir, 'containers', name, 'run.json'), 'utf8')).processes
        .payload.pid
      const [engine] = readFileSync(`/proc/${harness}/task/${harness}/children`, 'utf8').trim().split(' ')
      return { harness, engine: engine ? Number(engine) : undefined }
    },
    async message(id, holds) {
      for (;;) {
        const call = await hive.host()
        const { message } = await call.message({ id })
        if (holds(message)) return message
        await waitForChange(call)
      }
    },
    async agent(name, holds) {
      for (;;) {
        const call = await hive.host()
        const found = (await call.list({})).agents.find((agent) => agent.name === name)
        if (found && holds(found)) return found
        await waitForChange(call)
      }
    },
    async decided(id) {
      for (;;) {
        const call = await hive.host()
        const { approval } = await call.deploy_log({ id, after: 1e6, wait_seconds: 5 })
        if (approval.endedAt !== null || approval.decidedAt === null) return approval
        await waitForChange(call)
      }
    },
    async output(agent, id) {
      const call = await hive.host()
      let isOfMessage = false
      for (let after = 0; ; ) {
        const page = await call.events({ agent, after, wait_seconds: 10, limit: 500 })
        after = page.cursor
        for (const { event } of page.events) {
          if (event.kind === 'turn_start') isOfMessage = event.messages.some((message) => message.id === id)
          if (event.kind === 'turn_end' && isOfMessage) return event.end.detail
        }
      }
    },
    async tell(agent, body) {
      const { id } = await (await hive.host()).send({ to: agent, body })
      return hive.message(id, ({ state }) => state === 'done' || state === 'dead')
    },
    async [Symbol.asyncDispose]() {
      try {
        if (daemon && daemon.exitCode === null && daemon.signalCode === null) {
          const ended = once(daemon, 'exit')
          await connection?.call.shutdown({ stopAgents: true }).catch(() => {})
          const inTime = await Promise.race([ended.then(() => true), sleep(45_000, false, { ref: false })])
          if (!inTime) await hive.kill()
        }
      } finally {
        await endLeftovers(stateDir)
        await model[Symbol.asyncDispose]()
        rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
      }
    },
  }
  try {
    await hive.start(initial)
    return hive
  } catch (error) {
    await hive[Symbol.asyncDispose]()
    throw error
  }
}

/** Not everything that changes is a message, so nothing waits for long. */
async function waitForChange(call: OpConnection<typeof hostOps>['call']): Promise<void> {
  const { cursor } = await call.messages({ limit: 1 })
  await call.messages({ after: cursor, wait_seconds: 0.2 })
}

/** Ends what outlives a daemon on purpose: its containers and companions. */
async function endLeftovers(stateDir: string): Promise<void> {
  const read = (file: string) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)
  const containers = join(stateDir, 'containers')
  const processes: (ProcessId | undefined)[] = [
    ...['gateway', 'model'].map((name) => read(join(stateDir, `${name}.process.json`))),
    ...(existsSync(containers) ? readdirSync(containers) : []).map(
      (name) => read(join(containers, name, 'run.json'))?.processes?.init,
    ),
  ]
  for (const found of processes) if (found && isAlive(found)) process.kill(found.pid, 'SIGKILL')
}

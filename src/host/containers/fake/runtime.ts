import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa, type ResultPromise } from 'execa'
import { createNotifier } from '../../../kit/notifier.ts'
import { HiveError } from '../../../wire/errors.ts'
import { hashConfig } from '../config-hash.ts'
import { createLineCutter } from '../line-cutter.ts'
import { killGroup, runCollecting } from '../run-collecting.ts'
import { runStreaming } from '../run-streaming.ts'
import type {
  ContainerEvent,
  ContainerRuntime,
  ContainerSpec,
  ContainerStatus,
  Deployment,
  Exit,
  LogLine,
} from '../runtime.ts'
import { toHostPath } from './guest-paths.ts'

const PATH = '/usr/local/bin:/usr/bin:/bin'
const MAX_LOG_LINES = 50_000

interface FakeContainer {
  spec: ContainerSpec
  deployment: Deployment
  readonly logs: LogLine[]
  /** Lines that were forgotten. */
  dropped: number
  life?: {
    readonly incarnation: string
    readonly deployment: Deployment
    readonly app: string
    readonly startedAt: number
    readonly child: ResultPromise
    readonly ended: Promise<void>
    exit?: Exit
  }
}

/**
 * Containers that are none: plain child processes which see the host, for tests of what uses a runtime. Guest paths in argv
 * and environment are replaced by the mounted host paths. Nothing is isolated or limited, and all end with this process.
 */
export function openFakeRuntime(): ContainerRuntime & AsyncDisposable {
  const containers = new Map<string, FakeContainer>()
  const events: ContainerEvent[] = []
  const changes = createNotifier()

  const find = (name: string): FakeContainer => {
    const container = containers.get(name)
    if (!container) throw new HiveError('not_found', `there is no container ${name}`)
    return container
  }

  const execArgv = (name: string, argv: readonly string[]): [string, ...string[]] => {
    const { life, spec } = find(name)
    if (!life || life.exit) throw new HiveError('conflict', `${name} is not running`)
    return ['env', ...argv.map((arg) => toHostPath(arg, spec.mounts))]
  }

  const tell = (event: ContainerEvent): void => {
    events.push(event)
    changes.notify()
  }

  const end = async (name: string, signal: NodeJS.Signals, graceMs: number): Promise<Exit | undefined> => {
    const life = containers.get(name)?.life
    if (!life) return undefined
    if (!life.exit) {
      if (signal === 'SIGTERM') life.child.kill('SIGTERM')
      else killGroup(life.child.pid as number)
      if ((await Promise.race([life.ended, sleep(graceMs, 'late', { ref: false })])) === 'late') {
        killGroup(life.child.pid as number)
        await life.ended
      }
    }
    return life.exit
  }

  const runtime: ContainerRuntime & AsyncDisposable = {
    kind: 'fake',
    probe: async () => ({ ok: true, problems: [], version: 'fake', limits: [] }),
    build: async (source) => hashConfig(source),

    async apply(spec, deployment) {
      const container = containers.get(spec.name)
      if (container) Object.assign(container, { spec, deployment })
      else containers.set(spec.name, { spec, deployment, logs: [], dropped: 0 })
    },

    async start(name) {
      const container = find(name)
      if (!container.life || container.life.exit) container.life = await startLife(container)
      return describe(container)
    },

    stop: (name, { graceMs }) => end(name, 'SIGTERM', graceMs),
    kill: (name) => end(name, 'SIGKILL', 10_000),

    async remove(name) {
      await end(name, 'SIGKILL', 10_000)
      containers.delete(name)
    },

    list: async () => [...containers.values()].map(describe),

    watch(signal) {
      let seen = events.length
      return (async function* () {
        while (!signal.aborted) {
          const event = events[seen]
          if (event) {
            seen += 1
            yield event
          } else await changes.wait(60_000, signal)
        }
      })()
    },

    async *logs(name, { tail, follow, signal }) {
      const container = find(name)
      let next = 0
      if (tail !== undefined) {
        const last = (stream: LogLine['stream']) =>
          container.logs.filter((line) => line.stream === stream).slice(tail === 0 ? Number.POSITIVE_INFINITY : -tail)
        next = container.dropped + container.logs.length
        yield* [...last('stdout'), ...last('stderr')]
      }
      for (;;) {
        next = Math.max(next, container.dropped)
        const line = container.logs[next - container.dropped]
        if (line) {
          next += 1
          yield line
        } else if (follow && !signal?.aborted) await changes.wait(60_000, signal ?? new AbortController().signal)
        else return
        if (signal?.aborted) return
      }
    },

    async exec(name, argv, options = {}) {
      return runCollecting(execArgv(name, argv), { PATH }, options)
    },

    async openExec(name, argv) {
      const { life } = find(name)
      const running = await runStreaming(argv, {
        command: (marked) => execArgv(name, marked),
        env: { PATH },
        // The container may be down: what it left runs on this host.
        exec: (sweeping) => runCollecting(['env', ...sweeping], { PATH }, {}),
      })
      void life?.ended.then(() => running[Symbol.asyncDispose]())
      return running
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([...containers.keys()].map((name) => runtime.kill(name)))
    },
  }

  async function startLife(container: FakeContainer): Promise<NonNullable<FakeContainer['life']>> {
    const { name, mounts, argv, env } = container.spec
    const missing = mounts.find(({ host }) => !existsSync(host))
    if (missing) throw new HiveError('not_found', `${name}: there is nothing to mount at ${missing.host}`)
    const [command, ...args] = argv.map((arg) => toHostPath(arg, mounts)) as [string, ...string[]]
    const values = Object.entries(env).map(([key, value]) => [key, toHostPath(value, mounts)])
    const child = execa(command, args, {
      env: { PATH, ...Object.fromEntries(values) },
      extendEnv: false,
      detached: true,
      stdin: 'ignore',
      buffer: false,
      reject: false,
    })
    if (child.pid === undefined) {
      const { shortMessage } = await child
      throw new HiveError('unavailable', `${name} did not start: ${shortMessage}`)
    }
    collect(container, 'stdout', child)
    collect(container, 'stderr', child)
    const incarnation = randomUUID()
    const life: NonNullable<FakeContainer['life']> = {
      incarnation,
      deployment: container.deployment,
      app: container.spec.app,
      startedAt: Date.now(),
      child,
      ended: once(child, 'exit').then(async ([code, signal]) => {
        // What the payload started dies with it, unless it went into a session of its own.
        killGroup(child.pid as number)
        await child
        life.exit = { code, signal, oom: false }
        tell({ name, type: 'exited', incarnation, exit: life.exit })
      }),
    }
    tell({ name, type: 'started', incarnation })
    return life
  }

  function collect(container: FakeContainer, stream: LogLine['stream'], child: ResultPromise): void {
    const cutter = createLineCutter()
    const add = (lines: string[]): void => {
      for (const text of lines) container.logs.push({ stream, text })
      const surplus = Math.max(0, container.logs.length - MAX_LOG_LINES)
      container.logs.splice(0, surplus)
      container.dropped += surplus
      changes.notify()
    }
    child[stream]?.on('data', (chunk: Buffer) => add(cutter.cut(chunk)))
    child[stream]?.on('end', () => add(cutter.end()))
  }

  return runtime
}

function describe({ spec, deployment, life }: FakeContainer): ContainerStatus {
  const { name } = spec
  if (!life) return { name, state: 'created', deployment }
  const { incarnation, startedAt, exit } = life
  const common = { name, incarnation, startedAt }
  return exit
    ? { ...common, deployment, state: 'stopped', exit }
    : { ...common, deployment: life.deployment, app: life.app, state: 'running' }
}

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { z } from 'zod'
import { isAlive, type ProcessId, processId } from '../../../kit/detached.ts'
import type { Log } from '../../../kit/log.ts'
import { createNotifier } from '../../../kit/notifier.ts'
import { errorText, HiveError } from '../../../wire/errors.ts'
import type {
  BuildSource,
  ContainerEvent,
  ContainerRuntime,
  ContainerSpec,
  ContainerStatus,
  Deployment,
  ExecOptions,
  ExecResult,
  Exit,
  LogLine,
  LogOptions,
  Probe,
} from '../runtime.ts'
import { bubblewrapArgv, execArgv } from './argv.ts'
import { type Cgroup, openCgroup } from './cgroup.ts'
import { followLogs, logFile, rotateLogs, tailLogs } from './log-files.ts'
import { probeBubblewrap } from './probe.ts'
import { childrenOf, readStatus, spawnSandbox } from './sandbox-process.ts'

export interface BubblewrapOptions {
  /** A folder for each container is kept here; owned by the daemon. */
  readonly stateDir: string
  readonly log?: Log
  /** How often ends are looked for while something runs. */
  readonly pollMs?: number
}

/** A life that was started: enough to find it again after the daemon died. */
const Life = z.object({
  pid: z.number().int(),
  startTime: z.string(),
  startedAt: z.number(),
  oomKillsBefore: z.number().int(),
})
type Life = z.infer<typeof Life>

const START_TIMEOUT_MS = 10_000
const ROTATE_EVERY_MS = 60_000

/** Containers made with bubblewrap: no image, no root needed. What runs is found again by pid and start time. */
export function openBubblewrapRuntime({ stateDir, log, pollMs = 250 }: BubblewrapOptions): ContainerRuntime {
  mkdirSync(stateDir, { recursive: true, mode: 0o711 })
  const etc = writeEtc(stateDir)
  const hive = `hive-${createHash('sha256').update(stateDir).digest('hex').slice(0, 8)}`
  const changes = createNotifier()

  const directoryOf = (name: string) => join(stateDir, name)
  const fileOf = (name: string, file: string) => join(directoryOf(name), file)
  const readSpec = (name: string): ContainerSpec => {
    if (!existsSync(fileOf(name, 'spec.json'))) throw new HiveError('not_found', `no container ${name}`)
    return JSON.parse(readFileSync(fileOf(name, 'spec.json'), 'utf8')) as ContainerSpec
  }
  const readLife = (name: string): Life | undefined => {
    const file = fileOf(name, 'life.json')
    return existsSync(file) ? Life.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
  }
  const cgroupOf = (name: string, spec: ContainerSpec): Cgroup => openCgroup(hive, name, spec.limits)
  const incarnationOf = ({ pid, startTime }: ProcessId) => `${pid}:${startTime}`

  const statusOf = (name: string): ContainerStatus => {
    const spec = readSpec(name)
    const deployment = JSON.parse(readFileSync(fileOf(name, 'deployment.json'), 'utf8')) as Deployment
    const life = readLife(name)
    if (!life) return { name, state: 'created', deployment }
    const incarnation = incarnationOf(life)
    if (isRunning(name, life)) return { name, state: 'running', deployment, incarnation, startedAt: life.startedAt }
    const exit = exitOf(name, spec, life)
    return { name, state: 'stopped', deployment, incarnation, startedAt: life.startedAt, exit }
  }

  const exitOf = (name: string, spec: ContainerSpec, life: Life): Exit | undefined => {
    const { exitCode } = readStatus(fileOf(name, 'status'))
    const oom = cgroupOf(name, spec).oomKills() > life.oomKillsBefore
    // Killed together with its init, it left no code.
    if (exitCode === undefined) return { code: null, signal: 'SIGKILL', oom }
    return exitCode > 128 && exitCode < 160
      ? { code: null, signal: signalName(exitCode - 128), oom }
      : { code: exitCode, signal: null, oom }
  }

  /** A life is over when its first process has ended; what that one left behind ends with it. */
  const isRunning = (name: string, life: Life): boolean => {
    if (!isAlive(life)) return false
    if (readStatus(fileOf(name, 'status')).exitCode === undefined) return true
    signal(life.pid, 'SIGKILL')
    return false
  }

  const waitForEnd = async (name: string, life: Life, timeoutMs: number): Promise<boolean> => {
    for (const until = performance.now() + timeoutMs; performance.now() < until; await sleep(5)) {
      isRunning(name, life)
      if (!isAlive(life)) return true
    }
    return !isAlive(life)
  }

  const killTree = async (name: string, life: Life): Promise<void> => {
    // Its init: the kernel takes the whole PID namespace with it.
    if (isAlive(life)) process.kill(life.pid, 'SIGKILL')
    cgroupOf(name, readSpec(name)).kill()
    if (!(await waitForEnd(name, life, 10_000))) throw new HiveError('timeout', `${name} does not die`)
    changes.notify()
  }

  const runtime: ContainerRuntime = {
    kind: 'bubblewrap',

    probe: (): Promise<Probe> => probeBubblewrap({ stateDir, hive, etc }),

    async build({ directory, revision }: BuildSource): Promise<Deployment> {
      const hash = createHash('sha256')
      for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()) {
        const path = join(directory, file)
        if (statSync(path).isFile()) hash.update(`${file}\0`).update(readFileSync(path)).update('\0')
      }
      const config = join(directory, 'agent.json')
      if (existsSync(config)) {
        try {
          JSON.parse(readFileSync(config, 'utf8'))
        } catch (cause) {
          throw new HiveError('bad_input', `agent.json is not JSON: ${errorText(cause)}`, { cause })
        }
      }
      return { reference: hash.digest('hex'), revision }
    },

    async apply(spec: ContainerSpec, deployment: Deployment): Promise<void> {
      mkdirSync(directoryOf(spec.name), { recursive: true, mode: 0o700 })
      writeAtomically(fileOf(spec.name, 'spec.json'), JSON.stringify(spec, null, 2))
      writeAtomically(fileOf(spec.name, 'deployment.json'), JSON.stringify(deployment))
    },

    async start(name: string): Promise<ContainerStatus> {
      const spec = readSpec(name)
      const before = readLife(name)
      if (before && isRunning(name, before)) return statusOf(name)
      for (const { host } of spec.mounts) {
        if (!existsSync(host)) throw new HiveError('not_found', `${name}: nothing to mount at ${host}`)
      }
      rotateLogs(directoryOf(name))
      writeFileSync(fileOf(name, 'status'), '')
      const cgroup = cgroupOf(name, spec)
      const files = {
        stdout: logFile(directoryOf(name), 'stdout'),
        stderr: logFile(directoryOf(name), 'stderr'),
        status: fileOf(name, 'status'),
      }
      const oomKillsBefore = cgroup.oomKills()
      const starter = await spawnSandbox(bubblewrapArgv(spec, etc, { status: 3 }), files, cgroup.join)
      const life = await waitForInit(name, starter)
      writeAtomically(fileOf(name, 'life.json'), JSON.stringify({ ...life, startedAt: Date.now(), oomKillsBefore }))
      log?.info({ container: name, pid: life.pid }, 'started a container')
      changes.notify()
      return statusOf(name)
    },

    async stop(name: string, { graceMs }: { graceMs: number }): Promise<Exit | undefined> {
      const life = readLife(name)
      if (!life) return undefined
      if (isAlive(life)) {
        for (const payload of childrenOf(life.pid)) signal(payload, 'SIGTERM')
        if (!(await waitForEnd(name, life, graceMs))) await killTree(name, life)
        changes.notify()
      }
      return statusOf(name).exit
    },

    async kill(name: string): Promise<Exit | undefined> {
      const life = readLife(name)
      if (!life) return undefined
      if (isAlive(life)) await killTree(name, life)
      return statusOf(name).exit
    },

    async remove(name: string): Promise<void> {
      if (!existsSync(directoryOf(name))) return
      await runtime.kill(name)
      cgroupOf(name, readSpec(name)).remove()
      rmSync(directoryOf(name), { recursive: true })
    },

    async list(): Promise<ContainerStatus[]> {
      return readdirSync(stateDir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && existsSync(fileOf(entry.name, 'deployment.json')))
        .map((entry) => statusOf(entry.name))
    },

    async *watch(signal: AbortSignal): AsyncIterable<ContainerEvent> {
      const known = new Map((await runtime.list()).map((status) => [status.name, status]))
      let rotatedAt = performance.now()
      while (!signal.aborted) {
        const running = [...known.values()].some(({ state }) => state === 'running')
        await changes.wait(running ? pollMs : 60_000, signal)
        if (signal.aborted) return
        const now = await runtime.list()
        for (const status of now) yield* compare(known.get(status.name), status)
        known.clear()
        for (const status of now) known.set(status.name, status)
        if (performance.now() - rotatedAt < ROTATE_EVERY_MS) continue
        rotatedAt = performance.now()
        for (const { name } of now) rotateLogs(directoryOf(name))
      }
    },

    async *logs(name: string, { tail = 200, follow = false, signal }: LogOptions): AsyncIterable<LogLine> {
      if (!existsSync(directoryOf(name))) throw new HiveError('not_found', `no container ${name}`)
      yield* tailLogs(directoryOf(name), tail)
      if (follow) yield* followLogs(directoryOf(name), signal ?? new AbortController().signal)
    },

    async exec(name: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
      const spec = readSpec(name)
      const life = readLife(name)
      const payload = life && isAlive(life) ? childrenOf(life.pid)[0] : undefined
      if (payload === undefined) throw new HiveError('conflict', `${name} is not running`)
      const { stdin = '', timeoutMs = 60_000, maxBytes = 1024 * 1024 } = options
      const [command, ...args] = execArgv(payload, spec.uid, argv)
      const result = await execa(command, args, {
        ...(typeof stdin === 'string' ? { input: stdin } : { inputFile: undefined, stdin }),
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: maxBytes,
        reject: false,
        stripFinalNewline: false,
        cwd: '/',
      })
      if (result.timedOut) throw new HiveError('timeout', `the command in ${name} took longer than ${timeoutMs} ms`)
      return { code: result.exitCode ?? 128, stdout: String(result.stdout ?? ''), stderr: String(result.stderr ?? '') }
    },
  }

  /** The sandbox's init, once bwrap has said which it is. Throws `unavailable` with what bwrap complained about. */
  async function waitForInit(name: string, starter: number): Promise<ProcessId> {
    const starterId = processId(starter)
    for (const until = performance.now() + START_TIMEOUT_MS; performance.now() < until; await sleep(2)) {
      const { initPid, exitCode } = readStatus(fileOf(name, 'status'))
      const init = initPid === undefined ? undefined : processId(initPid)
      // It runs the payload, or it has ended already, which its status says.
      if (init && (childrenOf(init.pid).length > 0 || exitCode !== undefined)) return init
      if (initPid !== undefined && exitCode !== undefined) return { pid: initPid, startTime: 'ended' }
      if (!starterId || !isAlive(starterId)) break
    }
    const complaint = tailLogs(directoryOf(name), 5)
      .map(({ text }) => text)
      .join(' · ')
    throw new HiveError('unavailable', `the sandbox of ${name} did not start: ${complaint || 'bwrap said nothing'}`, {
      hint: 'hive doctor',
    })
  }

  return runtime
}

function* compare(before: ContainerStatus | undefined, now: ContainerStatus): Iterable<ContainerEvent> {
  const { name, incarnation, exit } = now
  const same = before?.incarnation === incarnation
  if (before?.state === 'running' && before.incarnation && !(same && now.state === 'running')) {
    yield { name, type: 'exited', incarnation: before.incarnation, exit: same ? exit : undefined }
  }
  if (incarnation && !same) yield { name, type: 'started', incarnation }
  // It began and ended between two looks.
  if (incarnation && !same && now.state === 'stopped') yield { name, type: 'exited', incarnation, exit }
}

function writeEtc(stateDir: string): string {
  const etc = join(stateDir, '.etc')
  mkdirSync(etc, { recursive: true, mode: 0o755 })
  const files = {
    passwd: 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    group: 'root:x:0:\nnogroup:x:65534:\n',
    hosts: '127.0.0.1 localhost\n::1 localhost\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(join(etc, file), text, { mode: 0o644 })
  return etc
}

function writeAtomically(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It ended on its own in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const SIGNALS: Record<number, string> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
}
const signalName = (number: number): string => SIGNALS[number] ?? `signal ${number}`

import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { isAlive, type ProcessId } from '../../../kit/detached.ts'
import type { Log } from '../../../kit/log.ts'
import { errorText, HiveError } from '../../../wire/errors.ts'
import { HOST_PATH } from '../../host-path.ts'
import { hashConfig } from '../config-hash.ts'
import { readComplaint, readLogs, sizeOf } from '../log-reader.ts'
import { rotateLog } from '../log-rotation.ts'
import { runCollecting } from '../run-collecting.ts'
import { runStreaming } from '../run-streaming.ts'
import type { ContainerRuntime, ContainerSpec, ContainerStatus, Exit } from '../runtime.ts'
import { type Entry, execArgv, sandboxArgs, sandboxArgv } from './argv.ts'
import { cgroupPlace, createCgroup } from './cgroup.ts'
import {
  type ContainerDirectory,
  createContainerDirectory,
  isContainerName,
  type Life,
  type Run,
} from './container-directory.ts'
import { writeGuestEtc } from './guest-etc.ts'
import { openLifeWatch } from './life-watch.ts'
import { probeBubblewrap } from './probe.ts'
import { decodeExit, endRemains, endTree, isOver, sendSignal, waitForEnd, waitForPayload } from './sandbox-life.ts'
import { findHolder, spawnSandbox } from './sandbox-process.ts'
import { filterBytes } from './seccomp.ts'

export interface BubblewrapOptions {
  /** A folder for each container is kept here; owned by the daemon, passable (0711) for the uids of containers. */
  readonly stateDir: string
  readonly log?: Log
  /** Folder of this hive's cgroups; derived from `stateDir` unless given. */
  readonly cgroupName?: string
  /** Each log file may grow to this size; one old piece of it is kept beside it. */
  readonly maxLogBytes?: number
  /** A sandbox whose payload does not run after so long is ended. */
  readonly startTimeoutMs?: number
  /** Unix milliseconds, for display. */
  readonly now?: () => number
}

const TICK_MS = 1000
const MAX_LOG_BYTES = 8 * 1024 * 1024
const START_TIMEOUT_MS = 10_000
/** So much of what a sandbox that did not start wrote is told. */
const MAX_COMPLAINT_BYTES = 4096

/**
 * Containers made with bubblewrap: no image, no root needed. Their files are the only memory, so any number of daemons, one
 * after the other, finds what runs. Throws `unavailable` where the machine tells nothing about processes.
 */
export function openBubblewrapRuntime(options: BubblewrapOptions): ContainerRuntime {
  const { log, maxLogBytes = MAX_LOG_BYTES, startTimeoutMs = START_TIMEOUT_MS, now = Date.now } = options
  mkdirSync(options.stateDir, { recursive: true, mode: 0o711 })
  const stateDir = realpathSync(options.stateDir)
  const etc = writeGuestEtc(stateDir)
  const cgroups = cgroupPlace(options.cgroupName ?? `hyperhive-${shortHash(stateDir)}`)
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const watches = new Set<ReturnType<typeof openLifeWatch>>()
  const queues = new Map<string, Promise<unknown>>()

  /** The last trouble of each container, until it is started well; logged once, not at every look. */
  const complaints = new Map<string, string>()
  const complain = (name: string, error: unknown): void => {
    if (complaints.get(name) === errorText(error)) return
    complaints.set(name, errorText(error))
    log?.error({ container: name, error: errorText(error) }, 'there is trouble with a container')
  }

  const directoryOf = (name: string) => createContainerDirectory(stateDir, name, (error) => complain(name, error))
  const announce = (name: string): void => {
    for (const watch of watches) watch.ring(name)
  }

  /** Start, stop, apply and remove of one container never overlap. */
  const exclusively = <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const result = (queues.get(name) ?? Promise.resolve()).then(act, act)
    queues.set(name, result)
    return result
  }

  /**
   * Starts and recoveries in flight. Whoever looks at a container meanwhile waits for the same one: a look that recovers on
   * its own would take the processes of a start for remains, and end them.
   */
  const settling = new Map<string, Promise<Life | undefined>>()
  const settle = <L extends Life | undefined>(name: string, act: () => Promise<L>): Promise<L> => {
    const result = act().finally(() => settling.delete(name))
    settling.set(name, result)
    return result
  }

  /** The last life with its processes, also where a daemon died while it started the container. */
  const readLife = async (container: ContainerDirectory): Promise<Life | undefined> => {
    const unsettled = settling.get(container.name)
    // Whoever started it is told why it did not come up.
    if (unsettled) return unsettled.catch(() => undefined)
    const run = container.readRun()
    if (run === undefined) return undefined
    if (run !== 'unreadable') {
      if (run.processes) return { ...run, processes: run.processes }
      if (run.bootId !== bootId) return undefined
    }
    return settle(container.name, () => recover(container, run))
  }

  /** Ends what is left of a life whose record cannot be read, and finishes a start or ends what is left of it. */
  const recover = async (container: ContainerDirectory, run: Run | 'unreadable'): Promise<Life | undefined> => {
    const monitor = run === 'unreadable' ? undefined : findHolder(container.files.status)
    if (run === 'unreadable' || !monitor) {
      await endRemains(container)
      container.forgetRun()
      return undefined
    }
    try {
      return await finishStart(container, run, monitor)
    } catch (error) {
      complain(container.name, error)
      return undefined
    }
  }

  /** Waits until the payload runs, and notes the processes. When it does not come to that, nothing is left of the run. */
  const finishStart = async (container: ContainerDirectory, run: Run, monitor: ProcessId): Promise<Life> => {
    try {
      const life = { ...run, processes: await waitForPayload(container, monitor, startTimeoutMs) }
      container.writeRun(life)
      return life
    } catch (error) {
      // Last: as long as something of it may live, the run is not forgotten.
      await endRemains(container)
      container.forgetRun()
      throw error
    }
  }

  const look = async (container: ContainerDirectory): Promise<ContainerStatus> => {
    const { name } = container
    const life = await readLife(container)
    if (!life) return { name, state: 'created', deployment: container.readDeployment() }
    const { incarnation, startedAt, deployment, app } = life
    if (!isOver(container, life, bootId)) return { name, state: 'running', deployment, app, incarnation, startedAt }
    const sameBoot = life.bootId === bootId
    // Once its processes have ended, the next start may empty the status.
    const before = container.readStatus()
    if (sameBoot) await endTree(name, life.processes)
    const oomKills = createCgroup(cgroups, name).countOomKills() - life.oomKillsBefore
    const status = before?.exitCode === undefined ? container.readStatus() : before
    return {
      name,
      state: 'stopped',
      deployment: container.readDeployment(),
      incarnation,
      startedAt,
      exit: status && decodeExit(status.exitCode, { oomKills, sameBoot }),
    }
  }

  /** One that cannot be looked at must not hide the others: it shows as stopped, nobody knows how. */
  const lookSafely = async (container: ContainerDirectory): Promise<ContainerStatus> => {
    const { name } = container
    const status = await look(container).catch((error): ContainerStatus => {
      complain(name, error)
      return { name, state: 'stopped', deployment: container.readDeployment() }
    })
    const problem = complaints.get(name)
    return problem === undefined ? status : { ...status, problem }
  }

  const startNow = async (container: ContainerDirectory): Promise<ContainerStatus> => {
    const spec = container.readSpec()
    const before = await look(container)
    if (before.state === 'running') return before
    checkUid(spec)
    checkMounts(spec)
    for (const file of [container.files.stdout, container.files.stderr]) rotateLog(file, maxLogBytes)
    const cgroup = createCgroup(cgroups, spec.name)
    const enforced = cgroup.make(spec.limits)
    const ignored = Object.entries({ memory: spec.limits.memoryBytes, cpu: spec.limits.cpus, pids: spec.limits.pids })
      .filter(([limit, value]) => value !== undefined && !enforced.some((other) => other === limit))
      .map(([limit]) => limit)
    if (ignored.length > 0) log?.warn({ container: spec.name, ignored }, 'limits cannot be set on this host')
    const run: Run = {
      incarnation: randomUUID(),
      bootId,
      startedAt: now(),
      oomKillsBefore: cgroup.countOomKills(),
      deployment: container.readDeployment(),
      app: spec.app,
      uid: spec.uid,
      network: spec.network,
    }
    const { processes } = await settle(spec.name, async () => {
      container.reset(sandboxArgs(spec, etc), filterBytes())
      // Before there is a process: should the daemon die now, its successor knows that there may be one.
      container.writeRun(run)
      const { stderr } = container.files
      const stderrBytes = sizeOf(stderr)
      const monitor = await spawnSandbox(sandboxArgv(spec, cgroup.procs()), container.files)
      try {
        return await finishStart(container, run, monitor)
      } catch (cause) {
        const complaint = readComplaint(stderr, stderrBytes, MAX_COMPLAINT_BYTES).join(' · ') || errorText(cause)
        throw new HiveError('unavailable', `the sandbox of ${spec.name} did not start: ${complaint}`, {
          hint: 'hive doctor',
          cause,
        })
      }
    })
    complaints.delete(spec.name)
    log?.info({ container: spec.name, pid: processes.monitor.pid }, 'started a container')
    announce(spec.name)
    return look(container)
  }

  const end = async (container: ContainerDirectory, askFirst?: { graceMs: number }): Promise<Exit | undefined> => {
    if (!container.exists()) return undefined
    const life = await readLife(container)
    if (life && !isOver(container, life, bootId)) {
      if (askFirst) {
        sendSignal(life.processes.payload, 'SIGTERM')
        await waitForEnd(() => isOver(container, life, bootId), askFirst.graceMs)
      }
      await endTree(container.name, life.processes)
      announce(container.name)
    }
    return (await look(container)).exit
  }

  /** A full disk, say, is no reason to stop watching. */
  const keepLogsSmall = ({ name, files }: ContainerDirectory): void => {
    try {
      for (const file of [files.stdout, files.stderr]) rotateLog(file, maxLogBytes)
    } catch (error) {
      complain(name, error)
    }
  }

  const listContainers = (): ContainerDirectory[] =>
    readdirSync(stateDir)
      .filter(isContainerName)
      .map(directoryOf)
      .filter((container) => container.exists())

  const list = () => Promise.all(listContainers().map(lookSafely))

  /** Throws `not_found`, and `conflict` when the container is down. */
  const findEntry = async (name: string): Promise<Entry> => {
    const container = directoryOf(name)
    assertExists(container)
    const life = await readLife(container)
    if (!life || isOver(container, life, bootId)) throw new HiveError('conflict', `${name} is not running`)
    const { uid, network, processes } = life
    return { initPid: processes.init.pid, uid, network, cgroupFiles: createCgroup(cgroups, name).procs() }
  }

  const runtime: ContainerRuntime = {
    kind: 'bubblewrap',

    probe: () =>
      probeBubblewrap({
        stateDir,
        limits: () => {
          const cgroup = createCgroup(cgroups, 'probe')
          const enforced = cgroup.make({})
          cgroup.remove()
          return enforced
        },
        openRuntime: (probeDir) => openBubblewrapRuntime({ stateDir: probeDir }),
      }),

    build: async (source) => hashConfig(source),

    apply: (spec, deployment) => exclusively(spec.name, async () => directoryOf(spec.name).write(spec, deployment)),

    start: (name) => exclusively(name, () => startNow(directoryOf(name))),

    stop: (name, { graceMs }) => exclusively(name, () => end(directoryOf(name), { graceMs })),

    // Not in the queue: it must not wait for a stop that is patient.
    kill: (name) => end(directoryOf(name)),

    remove: (name) =>
      exclusively(name, async () => {
        const container = directoryOf(name)
        await end(container)
        createCgroup(cgroups, name).remove()
        container.remove()
        announce(name)
      }),

    list,

    watch(signal) {
      const lifeWatch = openLifeWatch({
        list,
        look: async (name) => (directoryOf(name).exists() ? lookSafely(directoryOf(name)) : undefined),
        isOver(name) {
          const run = directoryOf(name).readRun()
          if (run === undefined || run === 'unreadable') return true
          return !run.processes || !isAlive(run.processes.init) || !isAlive(run.processes.monitor)
        },
        statusFile: (name) => directoryOf(name).files.status,
        onTick(running) {
          for (const name of running) keepLogsSmall(directoryOf(name))
        },
        tickMs: TICK_MS,
      })
      watches.add(lifeWatch)
      signal.addEventListener('abort', () => watches.delete(lifeWatch), { once: true })
      return lifeWatch.events(signal)
    },

    async *logs(name, logOptions) {
      const container = directoryOf(name)
      assertExists(container)
      yield* readLogs(container, logOptions)
    },

    async exec(name, argv, execOptions = {}) {
      return runCollecting(execArgv(await findEntry(name), argv), { PATH: HOST_PATH }, execOptions)
    },

    async openExec(name, argv) {
      const entry = { ...(await findEntry(name)), diesWithStarter: true }
      return runStreaming(argv, {
        command: (marked) => execArgv(entry, marked),
        env: { PATH: HOST_PATH },
        exec: (sweeping) => runtime.exec(name, sweeping),
      })
    },
  }
  return runtime
}

function assertExists(container: ContainerDirectory): void {
  if (!container.exists()) throw new HiveError('not_found', `there is no container ${container.name}`)
}

/** A root daemon has to give its containers another uid; an ordinary user has none but its own. */
function checkUid({ name, uid }: ContainerSpec): void {
  const isRoot = process.getuid?.() === 0
  if (isRoot && uid === undefined)
    throw new HiveError('bad_input', `${name} would run as root: it needs a uid of its own`)
  if (!isRoot && uid !== undefined)
    throw new HiveError('bad_input', `${name} cannot have uid ${uid}: the daemon is not root`)
}

function checkMounts({ name, mounts }: ContainerSpec): void {
  const missing = mounts.filter(({ host }) => !existsSync(host)).map(({ host }) => host)
  if (missing.length > 0)
    throw new HiveError('not_found', `${name}: there is nothing to mount at ${missing.join(', ')}`)
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)

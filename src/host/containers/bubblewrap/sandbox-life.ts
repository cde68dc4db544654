import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, type ProcessId, processId } from '../../../kit/detached.ts'
import { HiveError } from '../../../wire/errors.ts'
import type { Exit } from '../runtime.ts'
import type { ContainerDirectory, Life, RunProcesses } from './container-directory.ts'
import { childrenOf, ENDED, findHolder, programOf, stdoutOf } from './sandbox-process.ts'

const DEATH_TIMEOUT_MS = 10_000
const SHELL_SIGNAL_BASE = 128

/**
 * Waits until the payload runs (bwrap has become it) or has run to its end.
 * Throws `unavailable` when bwrap gave up before that, `timeout` when it takes too long.
 */
export async function waitForPayload(
  container: ContainerDirectory,
  monitor: ProcessId,
  timeoutMs: number,
): Promise<RunProcesses> {
  const found = await until(timeoutMs, () => {
    const wasAlive = isAlive(monitor)
    const { initPid, exitCode } = container.readStatus() ?? {}
    const init = initPid === undefined ? undefined : processId(initPid)
    const payload = init && childrenOf(init.pid)[0]
    const program = payload && programOf(payload)
    if (payload && program && program !== 'bwrap') return { monitor, init, payload: identify(payload) }
    if (initPid !== undefined && exitCode !== undefined)
      return { monitor, init: identify(initPid), payload: identify(initPid) }
    return wasAlive ? undefined : 'gave up'
  })
  if (found === 'gave up') throw new HiveError('unavailable', 'bwrap gave up')
  if (!found) throw new HiveError('timeout', `bwrap did not start it within ${timeoutMs / 1000} s`)
  return found
}

const identify = (pid: number): ProcessId => processId(pid) ?? { pid, startTime: ENDED }

/**
 * Whether a life is over: its payload has ended, whatever that one left behind. `bootId` is the machine's current one.
 * The monitor is the bwrap outside, which writes the exit code; it may itself have been killed.
 */
export function isOver(container: ContainerDirectory, life: Life, bootId: string): boolean {
  const { monitor, init, payload } = life.processes
  if (life.bootId !== bootId || !isAlive(init)) return true
  if (!isAlive(monitor) && !isAlive(payload)) return true
  return container.readStatus()?.exitCode !== undefined
}

/** Ends what is left of a life, by its init: the kernel takes the whole PID namespace with it. Resolves when nothing is. */
export async function endTree(name: string, { monitor, init }: RunProcesses): Promise<void> {
  sendSignal(init, 'SIGKILL')
  // The monitor goes last, when it has written how the payload ended.
  const gone = await until(DEATH_TIMEOUT_MS, () => (!isAlive(init) && !isAlive(monitor)) || undefined)
  if (!gone) throw new HiveError('timeout', `${name} was killed and does not die`, { hint: `see process ${init.pid}` })
}

/**
 * Ends what is left of a start that failed, or of a life whose record is lost: who holds its status file open, that one's
 * child, the init. Looks again until nobody is found, since bwrap may just be making the next of them.
 */
export async function endRemains(container: ContainerDirectory): Promise<void> {
  // An init that dies lets go of its files before it has ended the rest.
  let dying: ProcessId[] = []
  const gone = await until(DEATH_TIMEOUT_MS, () => {
    const remains = findRemains(container)
    for (const remaining of remains) sendSignal(remaining, 'SIGKILL')
    dying = [...dying, ...remains].filter(isAlive)
    return dying.length === 0 || undefined
  })
  if (!gone) throw new HiveError('timeout', `${container.name} was killed and does not die`, { hint: 'see ps' })
}

function findRemains(container: ContainerDirectory): ProcessId[] {
  const { status, stdout } = container.files
  const holder = findHolder(status)?.pid
  const init = container.readStatus()?.initPid
  const pids = [holder, init, ...(holder === undefined ? [] : childrenOf(holder))].filter((pid) => pid !== undefined)
  // A pid may be another's by now, and the file be open in somebody's pager.
  const own = [...new Set(pids)].filter((pid) => stdoutOf(pid) === stdout)
  return own.map(processId).filter((found) => found !== undefined)
}

export async function waitForEnd(isEnded: () => boolean, timeoutMs: number): Promise<boolean> {
  return (await until(timeoutMs, () => isEnded() || undefined)) ?? false
}

async function until<T>(timeoutMs: number, look: () => T | undefined): Promise<T | undefined> {
  for (const end = performance.now() + timeoutMs; ; await sleep(3)) {
    const seen = look()
    if (seen !== undefined || performance.now() > end) return seen
  }
}

/** Sends a signal to that very process, unless it has ended. */
export function sendSignal(target: ProcessId, name: NodeJS.Signals): void {
  if (!isAlive(target)) return
  try {
    process.kill(target.pid, name)
  } catch (error) {
    // It ended in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * How a life that is over ended; undefined when the machine went down with it. `oomKills` were counted during it: they are
 * its end only if it did not end well. A payload that exits with 128 + n looks as if signal n had killed it.
 */
export function decodeExit(
  exitCode: number | undefined,
  { oomKills, sameBoot }: { oomKills: number; sameBoot: boolean },
) {
  // Within one boot only a killed monitor leaves no code.
  if (exitCode === undefined) return sameBoot ? exitOf(null, 'SIGKILL', oomKills) : undefined
  const signal = Object.entries(constants.signals).find(([, number]) => number === exitCode - SHELL_SIGNAL_BASE)?.[0]
  return signal ? exitOf(null, signal, oomKills) : exitOf(exitCode, null, oomKills)
}

const exitOf = (code: number | null, signal: string | null, oomKills: number): Exit => ({
  code,
  signal,
  oom: oomKills > 0 && code !== 0,
})

import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type ProcessId, processId } from '../../../kit/detached.ts'
import { HOST_PATH } from '../../host-path.ts'
import type { Argv } from './argv.ts'

/** Stands for a process that had ended before it could be looked at. */
export const ENDED = 'ended'

/**
 * Starts the sandbox so that it goes on when the daemon dies: own session, stdio and status are files, no pipe.
 * Throws when it cannot be started.
 */
export async function spawnSandbox(
  [command, ...args]: Argv,
  files: { stdout: string; stderr: string; status: string; args: string; seccomp: string },
): Promise<ProcessId> {
  const descriptors: number[] = []
  const open = (file: string, flags: string) => {
    const descriptor = openSync(file, flags, 0o600)
    descriptors.push(descriptor)
    return descriptor
  }
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: [
        'ignore',
        open(files.stdout, 'a'),
        open(files.stderr, 'a'),
        open(files.status, 'a'),
        open(files.args, 'r'),
        open(files.seccomp, 'r'),
      ],
      env: { PATH: HOST_PATH },
      cwd: '/',
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    const pid = child.pid as number
    return processId(pid) ?? { pid, startTime: ENDED }
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
}

/** The processes whose parent is `pid`, oldest first; none when it has ended. */
export function childrenOf(pid: number): number[] {
  const text = readProc(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) ?? ''
  return text.split(' ').filter(Boolean).map(Number)
}

/** The name of the program that a process runs; undefined when it has ended. */
export const programOf = (pid: number): string | undefined =>
  readProc(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd())

/** The file that a process has as its stdout; undefined when it has ended. */
export const stdoutOf = (pid: number): string | undefined => readProc(() => readlinkSync(`/proc/${pid}/fd/1`))

/** A process that has this file open. Looks at every process of the host: for the rare case where its pid is not known. */
export function findHolder(file: string): ProcessId | undefined {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && entry !== String(process.pid))
  const holder = pids.find((pid) => {
    const descriptors = readProc(() => readdirSync(`/proc/${pid}/fd`)) ?? []
    return descriptors.some((descriptor) => readProc(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`)) === file)
  })
  return holder === undefined ? undefined : processId(Number(holder))
}

/** Undefined when the process is gone, or is not ours to look at. */
function readProc<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined
    throw error
  }
}

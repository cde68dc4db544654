import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/**
 * Starts the sandbox so that it goes on when the daemon dies: own session, output and status into files, no pipe.
 * `join` are cgroup files: a small shell writes its pid there and becomes the command. Throws when it cannot be started.
 */
export async function spawnSandbox(
  argv: readonly [string, ...string[]],
  files: { stdout: string; stderr: string; status: string },
  cgroupFiles: readonly string[],
): Promise<number> {
  const descriptors = [files.stdout, files.stderr, files.status].map((file) => openSync(file, 'a', 0o600))
  try {
    const [command, ...args] = cgroupFiles.length === 0 ? argv : joinCgroups(argv, cgroupFiles)
    const [stdout, stderr, status] = descriptors as [number, number, number]
    const child = spawn(command as string, args, {
      detached: true,
      stdio: ['ignore', stdout, stderr, status],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      cwd: '/',
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    return child.pid as number
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
}

/** A fixed script; the cgroup files and the command are its arguments, not its text. */
const JOIN_SCRIPT = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@"'

const joinCgroups = (argv: readonly string[], files: readonly string[]): [string, ...string[]] => [
  '/bin/sh',
  '-c',
  JOIN_SCRIPT,
  'sh',
  ...files,
  '--',
  ...argv,
]

/** The processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return [] // It has ended.
  }
}

/** The bwrap status file: what is known of a life. */
export interface BwrapStatus {
  /** The sandbox's init, in the host's numbering. */
  readonly initPid?: number
  readonly exitCode?: number
}

export function readStatus(file: string): BwrapStatus {
  const status: { initPid?: number; exitCode?: number } = {}
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.trim() === '') continue
    const entry = JSON.parse(line) as Record<string, unknown>
    if (typeof entry['child-pid'] === 'number') status.initPid = entry['child-pid']
    if (typeof entry['exit-code'] === 'number') status.exitCode = entry['exit-code']
  }
  return status
}

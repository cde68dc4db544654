import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/** A process that may outlive the one who started it: its pid alone could be another's by now. */
export interface ProcessId {
  readonly pid: number
  /** Field 22 of /proc/<pid>/stat: clock ticks after boot. */
  readonly startTime: string
}

/**
 * Starts a process that goes on when this one dies: own session, output appended to a file, no pipe.
 * Throws when it cannot be started.
 */
export async function spawnDetached(
  argv: readonly [string, ...string[]],
  { logFile, env }: { logFile: string; env: Readonly<Record<string, string>> },
): Promise<ProcessId> {
  const [command, ...args] = argv
  const output = openSync(logFile, 'a', 0o600)
  try {
    const child = spawn(command, args, { detached: true, stdio: ['ignore', output, output], env, cwd: '/' })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    child.unref()
    const pid = child.pid as number
    return processId(pid) ?? { pid, startTime: 'ended' }
  } finally {
    closeSync(output)
  }
}

/** The process that has this pid now, if one has. */
export function processId(pid: number): ProcessId | undefined {
  const startTime = readStartTime(pid)
  return startTime === undefined ? undefined : { pid, startTime }
}

/** Whether that very process runs; a zombie does not. */
export const isAlive = ({ pid, startTime }: ProcessId): boolean => readStartTime(pid) === startTime

function readStartTime(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined // No such process.
  }
  // The command name, in parentheses, may hold anything; state is field 3, start time field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

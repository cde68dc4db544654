import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:os'
import { HiveError } from '../../wire/errors.ts'
import { killGroup } from './run-collecting.ts'
import type { ExecResult, OpenExec } from './runtime.ts'

/** Inherited by all that a command starts, whatever session or parent that takes. */
const MARK = 'HIVE_EXEC'

/**
 * A fixed script that kills whatever has `$1` in its environment, until nothing has: a process may just be making another.
 * It runs in the container, as the agent: the daemon reads nothing of an agent's processes.
 */
const SWEEP = `while found=$(grep -lszxF -e "$1" /proc/[0-9]*/environ); [ -n "$found" ]; do
for file in $found; do pid=\${file#/proc/}; kill -KILL "\${pid%/environ}"; done 2>/dev/null
sleep 0.02; done`

export interface Entrance {
  /** What enters the container and becomes `argv` there. */
  readonly command: (argv: readonly string[]) => readonly [string, ...string[]]
  /** Environment of `command`; nothing of the daemon's, since the container could read it. */
  readonly env: Readonly<Record<string, string>>
  /** Runs another command in that container. Throws `conflict` when nothing runs there any more. */
  readonly exec: (argv: readonly string[]) => Promise<ExecResult>
}

/** Runs `argv` in a container with its streams open. Throws `unavailable` when the command that enters cannot be run. */
export async function runStreaming(argv: readonly string[], { command, env, exec }: Entrance): Promise<OpenExec> {
  const mark = `${MARK}=${randomUUID()}`
  const [program, ...args] = command(['/usr/bin/env', mark, ...argv])
  const child = spawn(program, args, { cwd: '/', env, detached: true, stdio: 'pipe' })
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new HiveError('unavailable', `${program} cannot be run`, { hint: 'hive doctor', cause })
  }
  const ended = once(child, 'exit').then(([code, signal]) => code ?? 128 + constants.signals[signal as NodeJS.Signals])
  // What it is told must not bring the daemon down: a command need not read its input.
  child.stdin.on('error', () => {})
  const end = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) killGroup(child.pid as number)
    await ended
    try {
      await exec(['sh', '-c', SWEEP, 'sh', mark])
    } catch (error) {
      // The container is down, and all of it with it.
      if (!(error instanceof HiveError) || error.code !== 'conflict') throw error
    }
    for (const stream of child.stdio) stream?.destroy()
  }
  let ending: Promise<void> | undefined
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    [Symbol.asyncDispose]() {
      ending ??= end()
      return ending
    },
  }
}

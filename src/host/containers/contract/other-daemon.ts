import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ContainerSpec } from '../runtime.ts'
import type { Subject } from './subject.ts'

export interface DaemonOptions {
  readonly env?: NodeJS.ProcessEnv
  /** A file that it inherits open, far above stdio, as from a careless shell. */
  readonly leak?: string
}

/** Starts a container from a process of its own, which can be killed as a daemon would be. */
export function spawnDaemon(subject: Subject, spec: ContainerSpec, options: DaemonOptions = {}): ChildProcess {
  const file = join(subject.scratch, `${spec.name}.json`)
  writeFileSync(file, JSON.stringify(spec))
  const careless = ['bash', '-c', 'exec 200>"$0"; exec "$@"']
  const [command, ...args] = (
    options.leak ? [...careless, options.leak, ...subject.starter] : subject.starter
  ) as string[]
  return spawn(command as string, [...args, file], { stdio: ['ignore', 'pipe', 'inherit'], env: options.env })
}

/** Resolves when it says that the container runs. */
export async function startElsewhere(subject: Subject, spec: ContainerSpec, options: DaemonOptions = {}) {
  const daemon = spawnDaemon(subject, spec, options)
  return { daemon, incarnation: await nextLine(daemon, 'started ') }
}

/** The rest of the first line that begins with `prefix`, from now on. */
export async function nextLine(daemon: ChildProcess, prefix: string): Promise<string> {
  for await (const line of createInterface({ input: daemon.stdout as NodeJS.ReadableStream })) {
    if (line.startsWith(prefix)) return line.slice(prefix.length)
  }
  throw new Error(`the daemon ended before it said ${prefix}`)
}

/** `kill -9`; resolves when it is gone. */
export async function killDaemon(daemon: ChildProcess): Promise<void> {
  const ended = once(daemon, 'exit')
  daemon.kill('SIGKILL')
  await ended
}

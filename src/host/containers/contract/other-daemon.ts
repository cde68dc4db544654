import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ContainerSpec } from '../runtime.ts'
import type { Subject } from './subject.ts'

export interface DaemonOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Descriptors that it inherits besides stdio, as from a careless shell. */
  readonly descriptors?: readonly number[]
}

/** Starts a container from a process of its own, which can be killed as a daemon would be. */
export function spawnDaemon(subject: Subject, spec: ContainerSpec, options: DaemonOptions = {}): ChildProcess {
  const file = join(subject.scratch, `${spec.name}.json`)
  writeFileSync(file, JSON.stringify(spec))
  const [command, ...args] = subject.starter
  const stdio = ['ignore', 'pipe', 'inherit', ...(options.descriptors ?? [])] as const
  return spawn(command, [...args, file], { stdio: [...stdio], env: options.env })
}

/** Resolves when it says that the container runs. */
export async function startElsewhere(subject: Subject, spec: ContainerSpec, options: DaemonOptions = {}) {
  const daemon = spawnDaemon(subject, spec, options)
  const line = await nextLine(daemon, 'started ')
  return { daemon, incarnation: line.slice('started '.length) }
}

export async function nextLine(daemon: ChildProcess, prefix: string): Promise<string> {
  for await (const line of createInterface({ input: daemon.stdout as NodeJS.ReadableStream })) {
    if (line.startsWith(prefix)) return line
  }
  throw new Error(`the daemon ended before it said ${prefix}`)
}

/** `kill -9`; resolves when it is gone. */
export async function killDaemon(daemon: ChildProcess): Promise<void> {
  const ended = once(daemon, 'exit')
  daemon.kill('SIGKILL')
  await ended
}

import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type {
  ContainerEvent,
  ContainerRuntime,
  ContainerSpec,
  ContainerStatus,
  Deployment,
  Limits,
  Mount,
  Probe,
} from '../runtime.ts'

/** What a runtime, or the host it runs on, can give. */
export interface Capabilities {
  /** Limits that are enforced. */
  readonly limits: Probe['limits']
  /** Containers see nothing of the host or of each other, and end as a whole. */
  readonly isolates: boolean
  /** The payload is a plain process that holds no privilege, not a system with its own root. */
  readonly confines: boolean
  /** Containers run on when the daemon dies, and are found again. */
  readonly outlivesDaemon: boolean
  /** The payload of each container runs under a host uid of its own. */
  readonly ownUids: boolean
}

/** A runtime under test, with a directory of its own. */
export interface Subject extends AsyncDisposable {
  readonly runtime: ContainerRuntime
  /** Where the suite makes what it mounts; every container's uid can pass through it. */
  readonly scratch: string
  /** The host uid that the n-th container gets; undefined where it runs as the daemon's own user. */
  readonly uidOf: (n: number) => number | undefined
  /** A second runtime on the same state, as a daemon that was started anew has it. */
  readonly reopen: () => ContainerRuntime
  /** Command that opens the same runtime in a process of its own, applies the spec in its last argument, starts it, says so. */
  readonly starter: readonly [string, ...string[]]
}
export type MakeSubject = () => Promise<Subject>

export const DEPLOYMENT: Deployment = { reference: 'a', revision: '1'.repeat(40) }

/** Payloads: what a container's shell is given. Node's absence in them keeps the suite fast; nothing here is special to them. */
export const FOREVER = 'exec sleep 1000'
export const DEAF = 'trap "" TERM; echo deaf; while :; do sleep 0.1; done'

export interface Wanted {
  readonly uid?: number
  readonly env?: Record<string, string>
  readonly mounts?: readonly Mount[]
  readonly limits?: Limits
  readonly network?: ContainerSpec['network']
}

/** A container that runs a shell script, with a writable /state of its own; scripts find it as `$STATE`. */
export function createSpec(subject: Subject, name: string, script: string, wanted: Wanted = {}): ContainerSpec {
  const uid = wanted.uid ?? subject.uidOf(0)
  const state = join(subject.scratch, name)
  mkdirSync(state, { recursive: true })
  chmodSync(state, 0o700)
  if (uid !== undefined) chownSync(state, uid, uid)
  return {
    name,
    app: 'app-1',
    argv: ['/bin/sh', '-c', script],
    env: { STATE: '/state', ...wanted.env },
    mounts: [{ host: state, guest: '/state', readOnly: false }, ...(wanted.mounts ?? [])],
    uid,
    network: wanted.network ?? 'none',
    limits: wanted.limits ?? {},
  }
}

/** Applies and starts. */
export async function launch(
  subject: Subject,
  name: string,
  script: string,
  wanted: Wanted = {},
): Promise<ContainerStatus> {
  await subject.runtime.apply(createSpec(subject, name, script, wanted), DEPLOYMENT)
  return subject.runtime.start(name)
}

export async function statusOf(runtime: ContainerRuntime, name: string): Promise<ContainerStatus | undefined> {
  return (await runtime.list()).find((status) => status.name === name)
}

/** Ends a wait in vain, so that a failing test does not hang; nothing that works takes as long. */
const PATIENCE_MS = 30_000

/** Resolves when the container has ended by itself, with its status. */
export async function waitForExit(runtime: ContainerRuntime, name: string): Promise<ContainerStatus> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS)
  const events = runtime.watch(stop.signal)
  try {
    // The watch tells of what happens from now on; it may have ended before.
    const next = nextExit(events, name)
    const status = await statusOf(runtime, name)
    if (status?.state !== 'stopped' && !(await next)) throw new Error(`${name} did not end`)
    return (await statusOf(runtime, name)) as ContainerStatus
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

async function nextExit(events: AsyncIterable<ContainerEvent>, name: string): Promise<boolean> {
  for await (const event of events) if (event.name === name && event.type === 'exited') return true
  return false
}

/** What a container has written to stdout so far. */
export async function outputOf(runtime: ContainerRuntime, name: string): Promise<string[]> {
  const lines = await Array.fromAsync(runtime.logs(name, {}))
  return lines.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)
}

/** Resolves with the first line of stdout that begins with `prefix`. */
export async function waitForLine(runtime: ContainerRuntime, name: string, prefix: string): Promise<string> {
  const seen: string[] = []
  const signal = AbortSignal.timeout(PATIENCE_MS)
  for await (const { text } of runtime.logs(name, { follow: true, signal })) {
    if (text.startsWith(prefix)) return text
    seen.push(text)
  }
  throw new Error(`${name} wrote no line ${prefix}, but ${seen.slice(-5).join(' · ')}`)
}

import { type FSWatcher, watch } from 'node:fs'
import type { ContainerEvent, ContainerStatus } from '../runtime.ts'

export interface LifeWatchOptions {
  /** What each container is doing now. */
  readonly list: () => Promise<ContainerStatus[]>
  readonly look: (name: string) => Promise<ContainerStatus | undefined>
  /** Cheap: whether a life that ran is over. */
  readonly isOver: (name: string) => boolean
  /** A file that changes when a container ends. */
  readonly statusFile: (name: string) => string
  /** Called every `tickMs` while something runs. */
  readonly onTick: (running: readonly string[]) => void
  readonly tickMs: number
}

/**
 * Turns what is seen of containers into starts and ends. A change of a status file or a `ring` makes it look at once; every
 * `tickMs` it looks for lives that ended without a trace. Nothing is looked at while nothing runs.
 */
export function openLifeWatch(options: LifeWatchOptions) {
  const known = new Map<string, ContainerStatus>()
  const files = new Map<string, FSWatcher>()
  const rung = new Set<string>()
  let wake = () => {}

  const ring = (name: string): void => {
    rung.add(name)
    wake()
  }

  /** Looks at one container again and says what has happened to it. */
  async function* lookAgain(name: string): AsyncIterable<ContainerEvent> {
    const before = known.get(name)
    const now = await options.look(name)
    remember(name, now)
    yield* compareStatus(before, now)
  }

  const remember = (name: string, status: ContainerStatus | undefined): void => {
    if (status) known.set(name, status)
    else known.delete(name)
    files.get(name)?.close()
    files.delete(name)
    if (status?.state !== 'running') return
    const file = watchFile(options.statusFile(name), () => ring(name))
    if (file) files.set(name, file)
  }

  const runningNames = (): string[] =>
    [...known.values()].filter(({ state }) => state === 'running').map(({ name }) => name)

  const waitForRing = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (rung.size > 0 || signal.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        wake = () => {}
        resolve()
      }
      const timer = runningNames().length > 0 ? setTimeout(done, options.tickMs) : undefined
      signal.addEventListener('abort', done)
      wake = done
    })

  const first = options.list()

  async function* events(signal: AbortSignal): AsyncGenerator<ContainerEvent> {
    try {
      for (const status of await first) remember(status.name, status)
      while (!signal.aborted) {
        await waitForRing(signal)
        if (signal.aborted) return
        const running = runningNames()
        options.onTick(running)
        const names = new Set([...rung, ...running.filter(options.isOver)])
        rung.clear()
        for (const name of names) yield* lookAgain(name)
      }
    } finally {
      for (const file of files.values()) file.close()
    }
  }

  return { ring, events }
}

/** Undefined when the kernel watches no more files, or this one is gone: then the end is noticed a tick later. */
function watchFile(path: string, onChange: () => void): FSWatcher | undefined {
  try {
    return watch(path, onChange).on('error', onChange)
  } catch {
    return undefined
  }
}

/** What must have happened between two looks at a container. */
export function compareStatus(before: ContainerStatus | undefined, now: ContainerStatus | undefined): ContainerEvent[] {
  const name = (now ?? before)?.name ?? ''
  const [then, current] = [before?.incarnation, now?.incarnation]
  const events: ContainerEvent[] = []
  if (then !== undefined && before?.state === 'running' && !(then === current && now?.state === 'running')) {
    events.push({ name, type: 'exited', incarnation: then, exit: then === current ? now?.exit : undefined })
  }
  if (current !== undefined && then !== current) {
    events.push({ name, type: 'started', incarnation: current })
    // It began and ended between the two looks.
    if (now?.state === 'stopped') events.push({ name, type: 'exited', incarnation: current, exit: now.exit })
  }
  return events
}

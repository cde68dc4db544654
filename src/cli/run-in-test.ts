import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import type { Cli } from './cli.ts'
import { NOW } from './fake-hive.ts'
import type { Io, SignalName } from './io.ts'
import { runProgram } from './program.ts'

export interface TestRun {
  /** Exit code; the first that was asked for. */
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface TestIo extends Io {
  readonly written: { out: string; err: string }
  /** Resolves when stdout or stderr holds the text, or so many lines are on stdout. */
  seen(what: string | number): Promise<void>
  signal(name: SignalName): void
  /** Moves the clock, which stands otherwise. */
  tick(ms: number): void
  readonly exits: number[]
}

/** The Io of a command that runs inside a test: no terminal unless told, no colours, a clock that stands. */
export function createTestIo({ stdin = '', isTTY = false }: { stdin?: string; isTTY?: boolean } = {}): TestIo {
  const events = new EventEmitter()
  const written = { out: '', err: '' }
  const exits: number[] = []
  let time = NOW
  const terminal = (name: 'out' | 'err') => ({
    write(text: string) {
      written[name] += text
      events.emit('write')
    },
    isTTY,
    colors: false,
    columns: () => undefined,
  })
  return {
    stdin: Object.assign(Readable.from([stdin]), { isTTY }),
    out: terminal('out'),
    err: terminal('err'),
    outputGone: new AbortController().signal,
    onSignal(names, listener) {
      for (const name of names) events.on(name, listener)
      return () => {
        for (const name of names) events.off(name, listener)
      }
    },
    exit: (code) => exits.push(code),
    now: () => time,
    written,
    exits,
    tick: (ms) => {
      time += ms
    },
    signal: (name) => void events.emit(name, name),
    seen: (what) =>
      new Promise((resolve) => {
        const look = () => {
          const isThere =
            typeof what === 'number'
              ? written.out.split('\n').length > what
              : written.out.includes(what) || written.err.includes(what)
          if (!isThere) return
          events.off('write', look)
          resolve()
        }
        events.on('write', look)
        look()
      }),
  }
}

/** Runs a command line in this process. */
export async function runHive(
  args: readonly string[],
  { io = createTestIo(), ...deps }: Partial<Omit<Cli, 'io'>> & { io?: TestIo } = {},
): Promise<TestRun> {
  const startDaemon = () => Promise.reject(new Error('this test starts no daemon'))
  const probeSandbox = () => Promise.resolve({ problems: [], limits: ['memory', 'cpu', 'pids'] })
  const code = await runProgram(args, { startDaemon, probeSandbox, env: {}, uid: 1000, ...deps, io })
  return { code: io.exits[0] ?? code, ...io.written }
}

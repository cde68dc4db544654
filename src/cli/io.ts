import type { Readable } from 'node:stream'
import { styleText } from 'node:util'

/** One of the two places to which a command writes. */
export interface Terminal {
  write(text: string): void
  readonly isTTY: boolean
  /** Whether colours are wanted: a terminal, and what NO_COLOR and FORCE_COLOR say. */
  readonly colors: boolean
  /** Width in cells; undefined when it is no terminal. */
  columns(): number | undefined
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** Everything of the process that a command may touch. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** Data. */
  readonly out: Terminal
  /** Talk. */
  readonly err: Terminal
  /** Aborted when nobody reads stdout any more. */
  readonly outputGone: AbortSignal
  /** Calls `listener` at each of these signals until the result is called. */
  onSignal(names: readonly SignalName[], listener: (name: SignalName) => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
  /** Wall clock, unix milliseconds. */
  now(): number
}

/** The Io of a real process. */
export function createProcessIo(process: NodeJS.Process): Io {
  const gone = new AbortController()
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // EIO: the terminal was closed.
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
      if (stream === process.stdout) gone.abort()
    })
  }
  return {
    stdin: process.stdin,
    out: createTerminal(process.stdout),
    err: createTerminal(process.stderr),
    outputGone: gone.signal,
    onSignal(names, listener) {
      for (const name of names) process.on(name, listener)
      return () => {
        for (const name of names) process.off(name, listener)
      }
    },
    exit: (code) => process.exit(code),
    now: Date.now,
  }
}

const createTerminal = (stream: NodeJS.WriteStream): Terminal => ({
  write: (text) => void stream.write(text),
  isTTY: stream.isTTY === true,
  colors: styleText('red', 'x', { stream }) !== 'x',
  // A terminal that does not know its width says 0.
  columns: () => (stream.isTTY && stream.columns > 0 ? stream.columns : undefined),
})

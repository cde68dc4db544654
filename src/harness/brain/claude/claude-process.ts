import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLineSplitter } from '../../../kit/json-lines.ts'
import { errorText } from '../../../wire/errors.ts'

/** One line of the engine's stream. What is in it is checked where it is read. */
export type StreamMessage = Readonly<Record<string, unknown>>

export interface ClaudeProcess {
  /** Writes one line of JSON to its stdin; nothing happens when it is gone. Any other line would end it. */
  send(message: object): void
  /** Ends its stdin: it finishes the turn in progress and exits. */
  endInput(): void
  kill(signal: NodeJS.Signals): void
  /** Resolves when it has ended and what it wrote was given. Never rejects. */
  readonly exited: Promise<ProcessExit>
}

export interface ProcessExit {
  /** Null when a signal ended it, or when it never ran. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last lines that were no messages. */
  readonly complaint: string
}

export interface ClaudeProcessOptions {
  readonly path: string
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onMessage: (message: StreamMessage) => void
  /** A line that is no message: stderr, or stdout that is not a JSON object. */
  readonly onNoise: (line: string) => void
}

const MAX_LINE_BYTES = 64 * 1024 * 1024
const COMPLAINT_LINES = 10
/** How long output is awaited after the exit: a child of the engine may hold the pipe open for ever. */
const DRAIN_MS = 500

/** Starts the engine. A binary that cannot be run is an exit, not a throw. */
export function startClaude({ path, argv, cwd, env, onMessage, onNoise }: ClaudeProcessOptions): ClaudeProcess {
  const child = spawn(path, argv, { cwd, env, stdio: 'pipe' })
  const complaints: string[] = []
  const complain = (line: string): void => {
    if (line.trim() === '') return
    complaints.push(line)
    if (complaints.length > COMPLAINT_LINES) complaints.shift()
    onNoise(line)
  }
  const breakOff = (error: unknown): void => {
    complain(`its output cannot be read: ${errorText(error)}`)
    child.kill('SIGKILL')
  }
  readLines(child.stdout, breakOff, (line) => {
    const message = parseMessage(line)
    if (message) onMessage(message)
    else complain(line)
  })
  readLines(child.stderr, breakOff, complain)
  // It may be gone while we write; its exit is what counts.
  child.stdin.on('error', () => {})

  return {
    exited: awaitExit(child).then((exit) => ({ ...exit, complaint: exit.complaint ?? complaints.join('\n') })),
    send(message) {
      if (child.stdin.writable) child.stdin.write(`${JSON.stringify(message)}\n`)
    },
    endInput: () => void child.stdin.end(),
    kill: (signal) => void child.kill(signal),
  }
}

type Ending = Omit<ProcessExit, 'complaint'> & { readonly complaint?: string }

async function awaitExit(child: ChildProcessWithoutNullStreams): Promise<Ending> {
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const ending = await new Promise<Ending>((resolve) => {
    child.on('error', (error) => {
      // Other errors, like a signal that could not be sent, end nothing.
      if (child.pid === undefined) resolve({ code: null, signal: null, complaint: error.message })
    })
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })])
  child.stdout.destroy()
  child.stderr.destroy()
  return ending
}

function readLines(
  stream: NodeJS.ReadableStream,
  onBroken: (error: unknown) => void,
  onLine: (line: string) => void,
): void {
  const splitter = createLineSplitter(MAX_LINE_BYTES)
  stream.on('data', (chunk: Buffer) => {
    let lines: string[] = []
    try {
      lines = splitter.push(chunk)
    } catch (error) {
      stream.removeAllListeners('data').resume()
      onBroken(error)
    }
    for (const line of lines) onLine(line)
  })
}

function parseMessage(line: string): StreamMessage | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as StreamMessage) : undefined
  } catch {
    return undefined // Not a message: noise, and treated as such.
  }
}

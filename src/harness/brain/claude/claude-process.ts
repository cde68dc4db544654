import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createLineSplitter } from '../../../kit/json-lines.ts'

export type StreamMessage = Readonly<Record<string, unknown>> & { readonly type?: unknown }

export interface ClaudeProcess {
  readonly pid: number
  /** Writes one line to its stdin; nothing happens when it is gone. */
  send(message: object): void
  /** Ends its stdin: it finishes the turn in progress and exits. */
  endInput(): void
  kill(signal: NodeJS.Signals): void
  /** Resolves when it has ended and everything it wrote was given. */
  readonly exited: Promise<ProcessExit>
}

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last lines of stderr. */
  readonly complaint: string
}

export interface ClaudeProcessOptions {
  readonly path: string
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly onMessage: (message: StreamMessage) => void
  /** A line that is no message: stderr, or stdout that is not JSON. */
  readonly onNoise: (line: string) => void
}

const MAX_LINE_BYTES = 64 * 1024 * 1024
const COMPLAINT_LINES = 10

/** Starts the engine. A missing binary is an exit, not a throw. */
export function startClaude({ path, argv, cwd, env, onMessage, onNoise }: ClaudeProcessOptions): ClaudeProcess {
  const child: ChildProcessWithoutNullStreams = spawn(path, argv, { cwd, env, stdio: 'pipe' })
  const complaints: string[] = []
  const complain = (line: string) => {
    if (line.trim() === '') return
    complaints.push(line)
    if (complaints.length > COMPLAINT_LINES) complaints.shift()
    onNoise(line)
  }
  readLines(child.stdout, (line) => {
    const message = parse(line)
    if (message) onMessage(message)
    else complain(line)
  })
  readLines(child.stderr, complain)
  // It may be gone while we write; its exit is what counts.
  child.stdin.on('error', () => {})

  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, complaint: error.message }))
    child.once('close', (code, signal) => resolve({ code, signal, complaint: complaints.join('\n') }))
  })
  return {
    pid: child.pid ?? 0,
    exited,
    send(message) {
      if (child.stdin.writable) child.stdin.write(`${JSON.stringify(message)}\n`)
    },
    endInput: () => void child.stdin.end(),
    kill: (signal) => void child.kill(signal),
  }
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  const splitter = createLineSplitter(MAX_LINE_BYTES)
  stream.on('data', (chunk: Buffer) => {
    for (const line of splitter.push(chunk)) onLine(line)
  })
}

function parse(line: string): StreamMessage | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as StreamMessage) : undefined
  } catch {
    return undefined // Not a message: noise, and treated as such.
  }
}

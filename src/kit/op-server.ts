import { chmod, unlink } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { z } from 'zod'
import { errorText, HiveError } from '../wire/errors.ts'
import {
  type Call,
  type Handlers,
  MAX_LINE_BYTES,
  type Op,
  type Ops,
  type ReplyFrame,
  RequestFrame,
} from '../wire/op.ts'
import { createLineSplitter, parseJsonLine } from './json-lines.ts'
import { createLineWriter } from './line-writer.ts'
import { createTokenBuckets, type Rate } from './token-bucket.ts'

export interface OpServerOptions {
  /** Path of the unix socket, at most 107 bytes. A dead socket file in its place is removed. */
  readonly path: string
  /** Whoever may write to it may connect, if its directory lets them pass. Default 0600. */
  readonly mode?: number
  readonly limits?: Partial<OpServerLimits>
  /** Errors that are nobody's answer: a handler that failed without a HiveError. */
  readonly onInternalError?: (error: unknown, op: string) => void
}

export interface OpServerLimits {
  readonly connections: number
  readonly inFlightPerConnection: number
  /** A line has to be complete this long after its first byte. */
  readonly lineTimeoutMs: number
  /** So many characters of replies may wait for a peer to read them; with more, it is given up at its next reply. */
  readonly maxBuffered: number
  /** Requests of all connections together; those beyond are refused. */
  readonly rate?: Rate
}

const DEFAULT_LIMITS: OpServerLimits = {
  connections: 64,
  inFlightPerConnection: 256,
  lineTimeoutMs: 10_000,
  maxBuffered: 8 * 1024 * 1024,
}

export interface OpServer extends AsyncDisposable {
  /** Stops listening and ends every connection. */
  close(): Promise<void>
}

/**
 * Serves a table of operations on a unix socket: one JSON object per line, one reply per request, identity by socket.
 * A line that is no frame ends its connection; a bad input is answered. Throws when the path cannot be bound.
 */
export async function serveOps<O extends Ops>(
  ops: O,
  handlers: Handlers<O>,
  options: OpServerOptions,
): Promise<OpServer> {
  assertSocketPath(options.path)
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const sockets = new Set<Socket>()
  const bucket = limits.rate && createTokenBuckets(limits.rate, () => performance.now())
  const isTooFast = () => bucket !== undefined && !bucket.take('')
  const server = createServer((socket) => {
    if (sockets.size >= limits.connections) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serveConnection(socket, ops, handlers, { ...limits, isTooFast }, options.onInternalError)
  })
  await listen(server, options)
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return { close, [Symbol.asyncDispose]: close }
}

/** Throws `bad_input` when the kernel would cut it. */
export function assertSocketPath(path: string): void {
  if (Buffer.byteLength(path) > 107) {
    throw new HiveError('bad_input', `the socket path is longer than 107 bytes: ${path}`, {
      hint: 'choose a shorter --run-dir',
    })
  }
}

async function listen(server: Server, { path, mode = 0o600 }: OpServerOptions): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
  await chmod(path, mode)
}

function serveConnection<O extends Ops>(
  socket: Socket,
  ops: O,
  handlers: Handlers<O>,
  limits: OpServerLimits & { isTooFast(): boolean },
  onInternalError: OpServerOptions['onInternalError'],
): void {
  const gone = new AbortController()
  const call: Call = { signal: gone.signal, connection: socket }
  const write = createLineWriter(socket, limits.maxBuffered)
  const reply = (frame: ReplyFrame) => write(frame)
  const splitter = createLineSplitter(MAX_LINE_BYTES)
  const refuse = (error: unknown) => {
    reply({ id: null, ok: false, error: asHiveError(error).toWire() })
    process.nextTick(() => socket.destroySoon())
  }
  let inFlight = 0
  let lineTimer: NodeJS.Timeout | undefined

  const answer = async (line: string) => {
    const frame = RequestFrame.safeParse(parseJsonLine(line))
    if (!frame.success) throw new HiveError('bad_input', `a line is no request: ${z.prettifyError(frame.error)}`)
    const { id, op } = frame.data
    if (inFlight >= limits.inFlightPerConnection) {
      reply({ id, ok: false, error: { code: 'too_many', message: 'too many requests wait for an answer' } })
      return
    }
    if (limits.isTooFast()) {
      reply({ id, ok: false, error: { code: 'rate_limited', message: 'too many requests on this socket' } })
      return
    }
    inFlight += 1
    try {
      reply({ id, ok: true, output: await callHandler(ops, handlers, op, frame.data.input, call) })
    } catch (error) {
      if (!(error instanceof HiveError)) onInternalError?.(error, op)
      reply({ id, ok: false, error: asHiveError(error).toWire() })
    } finally {
      inFlight -= 1
    }
  }

  /** Each line has its own time, from its first byte to its last. */
  const watchLine = (hasEnded: boolean) => {
    if (hasEnded) {
      clearTimeout(lineTimer)
      lineTimer = undefined
    }
    if (splitter.pending() > 0) lineTimer ??= setTimeout(() => socket.destroy(), limits.lineTimeoutMs)
  }

  socket.on('data', (chunk) => {
    try {
      const lines = splitter.push(chunk as Buffer)
      for (const line of lines) answer(line).catch(refuse)
      watchLine(lines.length > 0)
    } catch (error) {
      socket.removeAllListeners('data')
      socket.resume()
      refuse(error)
    }
  })
  // A reset connection is its peer's business; `close` follows and ends its calls.
  socket.on('error', () => {})
  socket.once('close', () => {
    clearTimeout(lineTimer)
    gone.abort()
  })
}

/** Checks the input of an operation and calls its handler. Throws `unknown_op`, `bad_input`, and what the handler throws. */
export async function callHandler<O extends Ops>(
  ops: O,
  handlers: Handlers<O>,
  name: string,
  input: unknown,
  call: Call,
): Promise<unknown> {
  if (!Object.hasOwn(ops, name)) throw new HiveError('unknown_op', `no operation ${JSON.stringify(name)} here`)
  const op = ops[name] as Op
  const parsed = op.input.safeParse(input ?? {})
  if (!parsed.success) throw new HiveError('bad_input', describeInputError(parsed.error))
  return handlers[name as keyof O]?.(parsed.data as never, call)
}

/** `to: must be …; body: is empty` */
export const describeInputError = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)).join('; ')

/** Whatever was thrown, as it is told to a caller. */
export const asHiveError = (error: unknown): HiveError =>
  error instanceof HiveError ? error : new HiveError('internal', `internal error: ${errorText(error)}`)

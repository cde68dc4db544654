import { createConnection, type Socket } from 'node:net'
import { HiveError } from '../wire/errors.ts'
import { type Client, type Ops, ReplyFrame } from '../wire/op.ts'
import { createLineSplitter, parseJsonLine } from './json-lines.ts'
import { createLineWriter } from './line-writer.ts'

/** A daemon may answer with more than a request may hold. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024

export interface OpConnection<O extends Ops> extends AsyncDisposable {
  readonly call: Client<O>
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>
  close(): void
}

/**
 * Connects to a socket of `serveOps`. Throws `unreachable` when nobody listens.
 * Calls reject with the HiveError of the other side, with `unreachable` when the connection breaks, with `cancelled` when their signal aborts.
 */
export async function connectOps<O extends Ops>(ops: O, path: string): Promise<OpConnection<O>> {
  const socket = await connect(path)
  const waiting = new Map<number, { resolve(output: unknown): void; reject(error: unknown): void }>()
  const write = createLineWriter(socket, Number.POSITIVE_INFINITY)
  const splitter = createLineSplitter(MAX_REPLY_BYTES)
  let lastId = 0

  socket.on('data', (chunk) => {
    try {
      for (const line of splitter.push(chunk as Buffer)) settle(waiting, ReplyFrame.parse(parseJsonLine(line)))
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  // The reason reaches every waiting call through `close`.
  let reason: Error | undefined
  socket.on('error', (error) => {
    reason = error
  })
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      const error = new HiveError('unreachable', `the connection to ${path} broke`, { cause: reason })
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
      resolve()
    })
  })

  const request = (op: string, input: unknown, signal?: AbortSignal): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new HiveError('cancelled', `${op} was cancelled`))
      if (socket.destroyed) return reject(new HiveError('unreachable', `the connection to ${path} is closed`))
      const id = ++lastId
      const abort = () => {
        waiting.delete(id)
        reject(new HiveError('cancelled', `${op} was cancelled`))
      }
      const finish = () => signal?.removeEventListener('abort', abort)
      signal?.addEventListener('abort', abort, { once: true })
      waiting.set(id, {
        resolve: (output) => {
          finish()
          resolve(output)
        },
        reject: (error) => {
          finish()
          reject(error)
        },
      })
      write({ id, op, input })
    })

  const call = Object.fromEntries(
    Object.entries(ops).map(([name, op]) => [
      name,
      async (input: unknown, options?: { signal?: AbortSignal }) =>
        op.output.parse(await request(name, input, options?.signal)),
    ]),
  ) as Client<O>
  const close = () => void socket.destroy()
  return {
    call,
    closed,
    close,
    [Symbol.asyncDispose]: () => {
      close()
      return closed
    },
  }
}

function settle(
  waiting: Map<number, { resolve(output: unknown): void; reject(error: unknown): void }>,
  reply: ReplyFrame,
): void {
  if (reply.id === null) {
    const error = reply.ok ? new HiveError('internal', 'a reply without an id') : HiveError.fromWire(reply.error)
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    return
  }
  // A call that was cancelled has gone; its late answer is of no use.
  const call = waiting.get(reply.id)
  waiting.delete(reply.id)
  if (reply.ok) call?.resolve(reply.output)
  else call?.reject(HiveError.fromWire(reply.error))
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (cause) => reject(new HiveError('unreachable', `nobody listens on ${path}`, { cause })))
  })
}

import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../kit/log.ts'
import { errorText } from '../../wire/errors.ts'
import type { Problems } from '../problems.ts'
import type { Tls } from './addresses.ts'
import { capConnections } from './connection-cap.ts'

export interface PortOptions {
  readonly port: number
  readonly addresses: readonly string[]
  /** What its problems are called by. */
  readonly name: string
  readonly listener: RequestListener
  readonly tls: Tls | undefined
  readonly problems: Problems
  readonly log: Log
  /** Called once when another program has the port at the first try; `tried` waits for it. */
  readonly onTaken?: () => Promise<void>
}

/** A port that is listened on, or will be as soon as it can be had. */
export interface Port extends AsyncDisposable {
  /** Resolves when every address was tried once. */
  readonly tried: Promise<void>
  isBound(address: string): boolean
}

const RETRY_FIRST_MS = 250
const RETRY_LONGEST_MS = 5_000
/** Answers that are being written get so long at the end. */
const CLOSE_MS = 1_000
const MAX_CONNECTIONS = 1024

/** Slow senders are given up; what is larger than a request can be is refused. */
const HTTP: ServerOptions = {
  headersTimeout: 3_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
  keepAliveTimeout: 30_000,
}

const IN_USE = 'EADDRINUSE'
/** Not there at all, on a machine without IPv6 for example. */
const ABSENT = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])

/** Listens on the addresses of a port; tries again for as long as that fails, and says so under its problems. */
export function openPort(options: PortOptions): Port {
  const { port, addresses, name, problems, log } = options
  const closing = new AbortController()
  const servers = new Map<string, Server>()
  const failing = new Map<string, string>()
  let told: Promise<void> | undefined
  const first = addresses.map(() => Promise.withResolvers<void>())

  const note = (address: string, problem: string | undefined) => {
    if (problem === undefined) failing.delete(address)
    else {
      if (!failing.has(address)) log.warn({ port, address, problem }, 'a port cannot be listened on')
      failing.set(address, problem)
    }
    const [left] = failing.values()
    if (left === undefined) problems.clear(name)
    else problems.note(name, left)
  }

  const keepTrying = async (address: string, tried: () => void): Promise<void> => {
    for (let delayMs = RETRY_FIRST_MS; !closing.signal.aborted; delayMs = Math.min(2 * delayMs, RETRY_LONGEST_MS)) {
      const server = options.tls
        ? createTlsServer({ ...HTTP, ...options.tls, handshakeTimeout: HTTP.headersTimeout }, options.listener)
        : createServer(HTTP, options.listener)
      capConnections(server, MAX_CONNECTIONS)
      try {
        await listen(server, port, address)
        // Whoever closes it meanwhile does not know of it yet.
        if (closing.signal.aborted) return await close(server)
        servers.set(address, server)
        // Too many open files, for one: connections wait meanwhile.
        server.on('error', (error) => log.warn({ port, address, err: error }, 'a connection cannot be accepted'))
        note(address, undefined)
        return
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException
        if (address === '::1' && ABSENT.has(code)) return
        note(address, describe(address, port, error))
        if (code === IN_USE && delayMs === RETRY_FIRST_MS) {
          told ??= options.onTaken?.()
          await told
        }
      } finally {
        tried()
      }
      await sleep(delayMs, undefined, { signal: closing.signal, ref: false }).catch(() => {
        // Closed: the loop ends.
      })
    }
  }

  const trying = addresses.map((address, at) => keepTrying(address, () => first[at]?.resolve()))
  return {
    tried: Promise.all(first.map(({ promise }) => promise)).then(() => {}),
    isBound: (address) => servers.has(address),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await Promise.all(trying)
      await Promise.all([...servers.values()].map(close))
      problems.clear(name)
    },
  }
}

const describe = (address: string, port: number, error: unknown): string => {
  const inUse = (error as NodeJS.ErrnoException).code === IN_USE
  return inUse ? `${address} port ${port} is in use by another program; it is tried again` : errorText(error)
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

import { STATUS_CODES } from 'node:http'
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import type { Target } from './target.ts'

/** What is known of a request when it has ended. No path, no header: they may hold secrets. */
export interface RequestEntry {
  /** Null when the request named no target. */
  readonly host: string | null
  readonly port: number | null
  readonly verdict: 'passed' | 'refused' | 'failed'
  readonly reason?: string
  readonly bytesUp: number
  readonly bytesDown: number
}

/** A request that was let through. */
export interface Passage<T extends Target = Target> {
  readonly target: T
  /** Where it may connect to. */
  readonly addresses: readonly string[]
  /** To be called once, when it has ended; `traffic` is the connection it had. */
  end(verdict: 'passed' | 'failed', reason?: string, traffic?: Pick<Socket, 'bytesWritten' | 'bytesRead'>): void
}

/** Until another side is given up that does not take a connection. */
const CONNECT_TIMEOUT_MS = 20_000
/** For one of several addresses, before the next is tried. */
const ATTEMPT_TIMEOUT_MS = 2_000
/** A peer that vanished without a word is noticed by this. */
const KEEP_ALIVE_MS = 60_000

/** Connects to the addresses that were judged, whatever a second look-up would say. */
export function connectTo({ host, port }: Target, addresses: readonly string[]): Socket {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  const options: TcpNetConnectOpts = {
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
    lookup: (_host, { all }, done) => {
      if (all) done(null, found)
      else done(null, found[0]?.address ?? '', found[0]?.family)
    },
  }
  const socket = connect(options)
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} seconds`)),
    CONNECT_TIMEOUT_MS,
  )
  socket.once('connect', () => clearTimeout(timer))
  socket.once('close', () => clearTimeout(timer))
  return socket
}

/** The text of an answer that is the gateway's own. */
export const answerBody = (reason: string): string => `hyperhive gateway: ${reason}\n`

/** An answer on a connection that no HTTP server looks after. */
export function rawAnswer(status: number, reason: string): string {
  const body = answerBody(reason)
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n')
}

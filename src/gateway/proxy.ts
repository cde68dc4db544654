import { lookup } from 'node:dns/promises'
import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { decide, type Policy, type Resolve, type Verdict } from './policy.ts'
import { formatTarget, parseAbsoluteUrl, parseAuthority, type Target } from './target.ts'

export interface ProxyOptions {
  /** Asked anew for every request. */
  readonly policy: () => Policy
  readonly onRequest: (entry: RequestEntry) => void
  readonly resolve?: Resolve
  /** Connections of this agent at once. */
  readonly maxConnections?: number
}

/** What is known of a request when it has ended. No path, no header: they may hold secrets. */
export interface RequestEntry {
  readonly target: string
  readonly verdict: 'passed' | 'refused' | 'failed'
  readonly reason?: string
  readonly bytesUp: number
  readonly bytesDown: number
}

const resolveAll: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

/** Headers that belong to one hop. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** An HTTP proxy for one agent: tunnels (`CONNECT`) and plain requests to what its policy allows. Streams pass unbuffered, without a time limit. */
export function createProxy(options: ProxyOptions): Server {
  const { policy, onRequest, resolve = resolveAll, maxConnections = 256 } = options
  const refuse = (target: string, reason: string) =>
    onRequest({ target, verdict: 'refused', reason, bytesUp: 0, bytesDown: 0 })
  const judge = (target: Target): Promise<Verdict> => decide(target, policy(), resolve)

  const server = createServer({
    maxHeaderSize: 32 * 1024,
    requestTimeout: 0,
    headersTimeout: 10_000,
    keepAliveTimeout: 5_000,
  })
  server.maxConnections = maxConnections

  server.on('connect', (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    client.on('error', () => client.destroy())
    const target = parseAuthority(incoming.url ?? '')
    void (async () => {
      const verdict = target ? await judge(target) : undefined
      if (!target || !verdict?.pass) {
        const { status, reason } =
          verdict && !verdict.pass ? verdict : { status: 400, reason: 'CONNECT needs host:port' }
        refuse(incoming.url?.slice(0, 300) ?? '', reason)
        client.end(
          `HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nhyperhive gateway: ${reason}\n`,
        )
        return
      }
      tunnel(client, head, target, verdict.addresses, onRequest)
    })()
  })

  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const target = parseAbsoluteUrl(incoming.url ?? '')
    void (async () => {
      const verdict = target ? await judge(target) : undefined
      if (!target || !verdict?.pass) {
        const { status, reason } =
          verdict && !verdict.pass
            ? verdict
            : { status: 400, reason: 'this is a proxy: it takes CONNECT and http:// URLs' }
        refuse(target ? formatTarget(target) : 'none', reason)
        incoming.resume()
        outgoing
          .writeHead(status, { 'content-type': 'text/plain', connection: 'close' })
          .end(`hyperhive gateway: ${reason}\n`)
        return
      }
      forward(incoming, outgoing, target, verdict.addresses, onRequest)
    })()
  })

  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n')
    socket.destroy()
  })
  return server
}

/** Connects to the addresses that were judged, whatever a second look-up would say. */
function connectTo({ host, port }: Target, addresses: readonly string[]): Socket {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  return connect({
    host,
    port,
    autoSelectFamily: true,
    lookup: (_host, { all }, done) => {
      if (all) done(null, found)
      else done(null, found[0]?.address ?? '', found[0]?.family)
    },
  })
}

function tunnel(
  client: Duplex,
  head: Buffer,
  target: Target,
  addresses: readonly string[],
  onRequest: ProxyOptions['onRequest'],
): void {
  const upstream = connectTo(target, addresses)
  let established = false
  let reason: string | undefined
  upstream.once('connect', () => {
    established = true
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    if (head.length > 0) upstream.write(head)
    client.pipe(upstream)
    upstream.pipe(client)
  })
  upstream.on('error', (error) => {
    reason = error.message
    if (!established)
      client.end(`HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\nhyperhive gateway: ${error.message}\n`)
    else client.destroy()
  })
  client.once('close', () => upstream.destroy())
  upstream.once('close', () => {
    client.end()
    const { bytesWritten: bytesUp, bytesRead: bytesDown } = upstream
    onRequest({ target: formatTarget(target), verdict: established ? 'passed' : 'failed', reason, bytesUp, bytesDown })
  })
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: Target & { path: string },
  addresses: readonly string[],
  onRequest: ProxyOptions['onRequest'],
): void {
  const socket = connectTo(target, addresses)
  const options: RequestOptions = {
    method: incoming.method,
    path: target.path,
    headers: { ...withoutHopByHop(incoming), host: target.port === 80 ? target.host : formatTarget(target) },
    createConnection: () => socket,
  }
  let reason: string | undefined
  const upstream = request(options, (response) => {
    outgoing.writeHead(response.statusCode ?? 502, withoutHopByHop(response))
    outgoing.flushHeaders()
    response.pipe(outgoing)
    response.on('error', () => outgoing.destroy())
    response.on('aborted', () => outgoing.destroy())
  })
  upstream.on('error', (error) => {
    reason = error.message
    if (outgoing.headersSent) outgoing.destroy()
    else
      outgoing
        .writeHead(502, { 'content-type': 'text/plain', connection: 'close' })
        .end(`hyperhive gateway: ${error.message}\n`)
  })
  incoming.on('error', () => upstream.destroy())
  outgoing.once('close', () => {
    upstream.destroy()
    const { bytesWritten: bytesUp, bytesRead: bytesDown } = socket
    onRequest({ target: formatTarget(target), verdict: reason ? 'failed' : 'passed', reason, bytesUp, bytesDown })
  })
  incoming.pipe(upstream)
}

/** The headers to pass on: not those of this hop, nor those that `connection` names as such. */
function withoutHopByHop({ headers }: IncomingMessage): IncomingMessage['headers'] {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.has(name)))
}

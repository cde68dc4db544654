import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  request,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import { answerBody, connectTo, type Passage } from './exchange.ts'
import { formatTarget, type UrlTarget } from './target.ts'

/** Headers that belong to one hop; `expect` was answered by our server already. */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Passes a plain request on, and its response back as it comes: no buffering, no time limit. */
export function forwardRequest(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { target, addresses, end }: Passage<UrlTarget>,
): void {
  let socket: Socket | undefined
  let reason: string | undefined
  const fail = (error: Error): void => {
    reason ??= error.message
    if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy()
    else answerPlainly(outgoing, 502, `no answer from ${target.host}: ${error.message}`)
  }
  const connection = (): Socket => {
    socket = connectTo(target, addresses)
    // Whatever is wrong with it after its request has ended is of no interest.
    socket.on('error', () => {})
    return socket
  }
  outgoing.once('close', () => {
    socket?.destroy()
    end(reason === undefined ? 'passed' : 'failed', reason, socket)
  })
  try {
    const upstream = request(requestOptions(incoming, target, connection))
    upstream.once('response', (response) => passBack(response, outgoing, fail))
    upstream.on('error', fail)
    // An answer that changes the protocol is neither a response nor an error.
    upstream.once('close', () => outgoing.headersSent || fail(new Error('it ended the connection')))
    incoming.pipe(upstream)
  } catch (error) {
    fail(error as Error) // Node refuses to send what its parser took, such as odd characters.
  }
}

const requestOptions = (incoming: IncomingMessage, target: UrlTarget, connection: () => Socket): RequestOptions => ({
  method: incoming.method,
  path: target.path,
  headers: { ...endToEnd(incoming.headers), ...framing(incoming.headers), host: hostHeader(target) },
  createConnection: connection,
})

function passBack(response: IncomingMessage, outgoing: ServerResponse, fail: (error: Error) => void): void {
  // Cut short there is cut short here.
  response.once('error', fail)
  try {
    outgoing.writeHead(response.statusCode ?? 0, { ...endToEnd(response.headers), connection: 'close' })
  } catch (error) {
    fail(error as Error) // An answer that is none, such as status 000.
    return
  }
  outgoing.flushHeaders()
  response.pipe(outgoing)
}

/** Ends a request with an answer of the gateway's own; its connection ends with it. */
export function answerPlainly(outgoing: ServerResponse, status: number, reason: string): void {
  const body = answerBody(reason)
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) }
  outgoing.writeHead(status, { ...headers, connection: 'close' }).end(body)
}

/** Not those of this hop, nor those that `connection` names as such. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.has(name)))
}

/** A body that came in chunks goes on in chunks, whatever the method: unframed it would be read as another request. */
const framing = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }

/** The host that was asked for, not the one that the client wrote beside it. */
const hostHeader = (target: UrlTarget): string => {
  const name = formatTarget(target)
  return target.port === 80 ? name.replace(/:80$/, '') : name
}

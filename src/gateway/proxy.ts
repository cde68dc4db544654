import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { errorText } from '../wire/errors.ts'
import { type Passage, type RequestEntry, rawAnswer } from './exchange.ts'
import { answerPlainly, forwardRequest } from './forward.ts'
import { decide, mayGoOn, type Policy, type Surroundings } from './policy.ts'
import { parseAbsoluteUrl, parseAuthority, type Target } from './target.ts'
import { openTunnel } from './tunnel.ts'

export interface ProxyOptions {
  /** Asked anew for every request. */
  readonly policy: () => Policy
  readonly surroundings: Surroundings
  /** Called once for each request, when it has ended. */
  readonly onRequest: (entry: RequestEntry) => void
  readonly limits?: Partial<ProxyLimits>
}

export interface ProxyLimits {
  /** Open at once, one request each; those beyond are closed unanswered. */
  readonly connections: number
  readonly headBytes: number
  /** A request's head has to be complete this long after its connection. */
  readonly headTimeoutMs: number
}

const USAGE = 'This is a proxy for http:// and CONNECT.'
const DEFAULT_LIMITS: ProxyLimits = { connections: 256, headBytes: 32 * 1024, headTimeoutMs: 10_000 }

/** An HTTP proxy for one agent. */
export interface EgressProxy {
  /** Listens on a unix socket. Rejects when the path cannot be bound. */
  listen(path: string): Promise<void>
  /** Ends what is under way and would not be let through by the policy of now, tunnels too. */
  review(): void
  /** Ends everything that is under way, tunnels too. */
  close(): Promise<void>
}

/** Makes a proxy that tunnels (`CONNECT`) and passes plain requests on, to what its policy allows and nowhere else. */
export function createProxy(options: ProxyOptions): EgressProxy {
  const server = createHttpServer({ ...DEFAULT_LIMITS, ...options.limits })
  const sockets = new Set<Socket>()
  const underWay = new Set<UnderWay>()
  const mayPass = ({ target, isEndpoint }: Judged): boolean => mayGoOn(target, isEndpoint, options.policy())
  const begin = <T extends Target>(judged: Judged<T>, client: Socket): Passage<T> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const mine = { judged, client, ended: promise }
    underWay.add(mine)
    return {
      ...judged,
      end(...how) {
        judged.end(...how)
        underWay.delete(mine)
        resolve()
      },
    }
  }
  const judge = async <T extends Target>(
    target: T | undefined,
    usage: string,
    client: Socket,
  ): Promise<Passage<T> | Refusal> => {
    for (;;) {
      const judged = await judgeRequest(target, usage, options)
      if ('status' in judged) return judged
      // The policy may have changed while the name was looked up.
      if (mayPass(judged)) return begin(judged, client)
    }
  }
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('connect', async (incoming, duplex, head) => {
    const client = duplex as Socket
    client.on('error', () => client.destroy())
    const judged = await judge(parseAuthority(incoming.url ?? ''), 'CONNECT takes host:port.', client)
    if ('status' in judged) client.end(rawAnswer(judged.status, judged.reason)).destroySoon()
    // Who has gone in the meantime would leave a connection behind that nobody ends.
    else if (client.destroyed) judged.end('failed', 'who asked has gone')
    else openTunnel(client, head, judged)
  })
  server.on('request', async (incoming, outgoing) => {
    const judged = await judge(parseAbsoluteUrl(incoming.url ?? ''), USAGE, incoming.socket)
    if ('status' in judged) answerPlainly(outgoing, judged.status, judged.reason)
    else if (outgoing.destroyed) judged.end('failed', 'who asked has gone')
    else forwardRequest(incoming, outgoing, judged)
  })
  return {
    async listen(path) {
      server.listen(path)
      await once(server, 'listening')
      // Such as no descriptor left for the next connection: those that are open go on.
      server.on('error', (error) => process.stderr.write(`${path}: ${errorText(error)}\n`))
    },
    review() {
      for (const { judged, client } of underWay) if (!mayPass(judged)) client.destroy()
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      // Their last word, for the log.
      await Promise.all([...underWay].map(({ ended }) => ended))
    },
  }
}

function createHttpServer({ connections, headBytes, headTimeoutMs }: ProxyLimits): Server {
  const server = createServer({
    maxHeaderSize: headBytes,
    headersTimeout: headTimeoutMs,
    connectionsCheckingInterval: headTimeoutMs / 4,
    requestTimeout: 0,
  })
  server.maxConnections = connections
  // One each, every answer says so; requests sent in one go would each open a connection of their own behind the limit.
  server.maxRequestsPerSocket = 1
  return server
}

/** A request that was let through. */
type Judged<T extends Target = Target> = Passage<T> & { readonly isEndpoint: boolean }

interface UnderWay {
  readonly judged: Judged
  readonly client: Socket
  /** Resolves when it has ended and was told. */
  readonly ended: Promise<void>
}

interface Refusal {
  readonly status: number
  readonly reason: string
}

/** Gives the way for a request that passes; tells of one that is refused. */
async function judgeRequest<T extends Target>(
  target: T | undefined,
  usage: string,
  { policy, surroundings, onRequest }: ProxyOptions,
): Promise<Judged<T> | Refusal> {
  const verdict = target
    ? await decide(target, policy(), surroundings)
    : { pass: false as const, status: 400, reason: usage }
  const place = { host: target?.host ?? null, port: target?.port ?? null }
  if (!verdict.pass) {
    onRequest({ ...place, verdict: 'refused', reason: verdict.reason, bytesUp: 0, bytesDown: 0 })
    return verdict
  }
  return {
    target: target as T,
    addresses: verdict.addresses,
    isEndpoint: verdict.isEndpoint,
    end: (verdict, reason, { bytesWritten, bytesRead } = { bytesWritten: 0, bytesRead: 0 }) =>
      onRequest({ ...place, verdict, reason, bytesUp: bytesWritten, bytesDown: bytesRead }),
  }
}

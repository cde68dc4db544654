import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createConnection, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RequestEntry } from './exchange.ts'
import type { Surroundings } from './policy.ts'
import { createProxy, type ProxyLimits } from './proxy.ts'

export interface TestProxy extends AsyncDisposable {
  /** Connects to it. */
  open(): Promise<Socket>
  /** Sends bytes, gives what came back until the other side ended. */
  exchange(bytes: string): Promise<string>
  /** Resolves with the next request that ends. */
  ended(): Promise<RequestEntry>
}

interface TestProxyOptions {
  readonly endpoints: readonly string[]
  readonly limits?: Partial<ProxyLimits>
  readonly lookUpEndpoint?: Surroundings['lookUpEndpoint']
}

const NO_NAMES: Surroundings = {
  lookUp: async () => [],
  lookUpEndpoint: async () => [],
  isInOwnNetwork: () => false,
}

/** A proxy in this process, on a socket of its own. */
export async function openTestProxy({ endpoints, limits, ...names }: TestProxyOptions): Promise<TestProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'proxy-'))
  const path = join(directory, 'egress.sock')
  const ends = new EventTarget()
  const proxy = createProxy({
    policy: () => ({ allow: undefined, endpoints: new Set(endpoints) }),
    surroundings: { ...NO_NAMES, ...names },
    onRequest: (detail) => ends.dispatchEvent(new CustomEvent('end', { detail })),
    limits,
  })
  await proxy.listen(path)
  const open = () => openSocket(path)
  return {
    open,
    exchange: async (bytes) => exchange(await open(), bytes),
    ended: async () => {
      const [{ detail }] = (await once(ends, 'end')) as [CustomEvent<RequestEntry>]
      return detail
    },
    async [Symbol.asyncDispose]() {
      await proxy.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Connects to a unix socket; that it breaks later is no error. */
export async function openSocket(path: string): Promise<Socket> {
  const socket = createConnection(path)
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

/** Sends bytes, gives what came back until the other side ended. */
export async function exchange(socket: Socket, bytes: string): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  // Broken off is an end too.
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(bytes)
  await closed
  return text
}

/** Lets a server listen on a free port of 127.0.0.1. */
export async function listenLocally(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

import { createConnection, createServer } from 'node:net'
import { PROXY_URL } from '../wire/names.ts'

/**
 * Sends everything through the gateway, loopback addresses too: the endpoint of the API may be one of the host's.
 *
 * Measured with Claude Code 2.1.329: any one of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, in either case, is used for every
 * URL, and a loopback base URL goes through it like any other (`POST http://127.0.0.1:…/v1/messages`; https by CONNECT).
 * It connects directly as soon as NO_PROXY names the host, and a lower-case `no_proxy` wins over an empty `NO_PROXY`:
 * both have to be set, and set after whatever environment the agent has.
 */
export const PROXY_ENV = {
  HTTP_PROXY: PROXY_URL,
  HTTPS_PROXY: PROXY_URL,
  http_proxy: PROXY_URL,
  https_proxy: PROXY_URL,
  NO_PROXY: '',
  no_proxy: '',
  NODE_USE_ENV_PROXY: '1',
}

export interface ForwarderOptions {
  readonly port: number
  readonly socket: string
  /** A connection could not be accepted; others are. */
  readonly onError: (error: Error) => void
}

/** The sandbox's way out: passes connections to 127.0.0.1:`port` on to the gateway's socket. Throws when it cannot listen. */
export async function openForwarder({ port, socket, onError }: ForwarderOptions): Promise<AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const gateway = createConnection({ path: socket, allowHalfOpen: true })
    const fail = () => {
      if (gateway.connecting || gateway.bytesRead === 0)
        client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\nthe gateway is away\n')
      client.destroySoon()
      gateway.destroy()
    }
    gateway.on('error', fail)
    client.on('error', () => gateway.destroy())
    client.pipe(gateway)
    gateway.pipe(client)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', onError)
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

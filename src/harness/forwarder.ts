import { createConnection, createServer } from 'node:net'

const PROXY = 'http://127.0.0.1:3128'

/** Sends everything through the gateway, loopback addresses too: the endpoint of the API may be one of the host's. */
export const PROXY_ENV = {
  HTTP_PROXY: PROXY,
  HTTPS_PROXY: PROXY,
  http_proxy: PROXY,
  https_proxy: PROXY,
  NO_PROXY: '',
  no_proxy: '',
  NODE_USE_ENV_PROXY: '1',
}

/** The sandbox's way out: passes connections to 127.0.0.1:`port` on to the gateway's socket. */
export async function openForwarder({ port, socket }: { port: number; socket: string }): Promise<AsyncDisposable> {
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
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

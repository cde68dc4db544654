import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, unknown>
}

export interface SinkServer extends AsyncDisposable {
  readonly url: string
  readonly received: Received[]
  /** What it answers from now on; 200 at first. */
  status: number
  /** Resolves when so many requests have come, whatever they were answered. */
  requests(count: number): Promise<void>
}

/** Somebody who takes notifications, and keeps those that were answered with 200. */
export async function openSinkServer(): Promise<SinkServer> {
  let requests = 0
  const received: Received[] = []
  const sink = { status: 200 }
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as Record<string, unknown>
    if (sink.status === 200) received.push({ path: request.url ?? '', headers: request.headers, body })
    response.writeHead(sink.status, { Location: '/elsewhere' }).end()
    requests += 1
    server.emit('taken')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(sink, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async requests(count: number) {
      while (requests < count) await once(server, 'taken')
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

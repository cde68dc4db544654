import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Model, type ModelOptions } from './model.ts'

export interface ModelServer
  extends Pick<Model, 'requests' | 'setScenarios' | 'failNext' | 'forgive' | 'waitForRequest'> {
  readonly port: number
  /** For `ANTHROPIC_BASE_URL`. */
  readonly url: string
  /** Breaks what is still being answered. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Serves the scripted model on 127.0.0.1; port 0 takes a free one. Rejects when the port is taken. */
export async function openModelServer({ port, ...options }: ModelOptions & { port: number }): Promise<ModelServer> {
  const model = new Model(options)
  const server = createServer((request, response) => void model.handle(request, response))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const bound = (server.address() as AddressInfo).port
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return {
    requests: model.requests,
    setScenarios: model.setScenarios.bind(model),
    failNext: model.failNext.bind(model),
    forgive: model.forgive.bind(model),
    waitForRequest: model.waitForRequest.bind(model),
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    close,
    [Symbol.asyncDispose]: close,
  }
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Keeps a server at so many connections: one too many closes that which has waited longest without a request that is being
 * answered. So nobody who only connects, which needs no token, keeps others out.
 */
export function capConnections(server: Server, most: number): void {
  const idle = new Map<string, Socket>()
  let open = 0
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    open += 1
    idle.set(name, socket)
    socket.once('close', () => {
      open -= 1
      if (idle.get(name) === socket) idle.delete(name)
    })
    if (open > most) idle.values().next().value?.destroy()
  })
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const name = nameOf(socket)
    const connection = idle.get(name)
    if (!connection) return
    idle.delete(name)
    response.once('close', () => {
      if (!connection.destroyed) idle.set(name, connection)
    })
  })
}

/** Not the socket: of a connection with TLS, a request has another than the server was told of. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

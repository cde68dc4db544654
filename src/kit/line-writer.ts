import type { Socket } from 'node:net'

/**
 * Writes lines to a socket, all lines of one event-loop turn in one system call.
 * When the peer reads too slowly and `maxBufferedBytes` wait, the socket is destroyed.
 */
export function createLineWriter(socket: Socket, maxBufferedBytes: number): (value: unknown) => void {
  let lines: string[] = []
  const flush = () => {
    const text = lines.join('')
    lines = []
    if (socket.destroyed) return
    socket.write(text)
    if (socket.writableLength > maxBufferedBytes) socket.destroy(new Error('the peer reads too slowly'))
  }
  return (value) => {
    if (lines.length === 0) process.nextTick(flush)
    lines.push(`${JSON.stringify(value)}\n`)
  }
}

import type { Socket } from 'node:net'

/**
 * Writes lines to a socket, all lines of one event-loop turn in one system call.
 * When the peer takes them too slowly and more than `maxBuffered` characters wait, the socket is destroyed.
 */
export function createLineWriter(socket: Socket, maxBuffered: number): (value: unknown) => void {
  let lines: string[] = []
  let waiting = 0
  const flush = () => {
    const text = lines.join('')
    lines = []
    waiting = 0
    if (!socket.destroyed) socket.write(text)
  }
  return (value) => {
    if (socket.destroyed) return
    if (lines.length === 0) process.nextTick(flush)
    const line = `${JSON.stringify(value)}\n`
    lines.push(line)
    waiting += line.length
    if (waiting + socket.writableLength <= maxBuffered) return
    lines = []
    socket.destroy(new Error('the peer reads too slowly'))
  }
}

import type { Socket } from 'node:net'

/**
 * Writes lines to a socket, all lines of one event-loop turn in one system call.
 * When the peer takes them too slowly, so that more than `maxBuffered` characters wait when there is another line to write,
 * the socket is destroyed. One line may be longer than that.
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
    if (waiting + socket.writableLength > maxBuffered) {
      lines = []
      socket.destroy(new Error('the peer reads too slowly'))
      return
    }
    if (lines.length === 0) process.nextTick(flush)
    const line = `${JSON.stringify(value)}\n`
    lines.push(line)
    waiting += line.length
  }
}

import type { Socket } from 'node:net'
import { connectTo, type Passage, rawAnswer } from './exchange.ts'

/** One side has said its last; the other gets this long of silence. */
const HALF_CLOSED_IDLE_MS = 60_000

/** Answers a `CONNECT`: bytes go both ways, as they come, until both sides have ended. `head` came with the request. */
export function openTunnel(client: Socket, head: Buffer, { target, addresses, end }: Passage): void {
  const upstream = connectTo(target, addresses)
  let isOpen = false
  let reason: string | undefined

  upstream.once('connect', () => {
    isOpen = true
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    upstream.write(head)
    client.pipe(upstream)
    upstream.pipe(client)
  })
  upstream.on('error', (error) => {
    reason = error.message
    if (isOpen) client.destroy()
    else client.end(rawAnswer(502, `no answer from ${target.host}: ${error.message}`))
  })
  client.once('end', () => upstream.setTimeout(HALF_CLOSED_IDLE_MS, () => upstream.destroy()))
  upstream.once('end', () => client.setTimeout(HALF_CLOSED_IDLE_MS, () => client.destroy()))
  client.once('close', () => upstream.destroy())
  upstream.once('close', () => {
    client.destroySoon()
    end(isOpen ? 'passed' : 'failed', reason, upstream)
  })
}

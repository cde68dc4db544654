import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { frameText, HEARTBEAT_MS, type Positions, positionsText } from '../../wire/frames.ts'
import type { Source } from './sources.ts'

export interface StreamOptions {
  readonly outgoing: ServerResponse
  /** By topic. */
  readonly sources: ReadonlyMap<string, Source>
  /** Where the client goes on; a topic that is missing begins now. */
  readonly after: Positions
  /** Ends it. */
  readonly signal: AbortSignal
  readonly heartbeatMs?: number
  /** A reader that takes nothing for so long is given up. */
  readonly stallMs?: number
}

/** What comes within this time goes in one piece. */
const GAP_MS = 30
const STALL_MS = 30_000
/** Before a client comes again. */
const RETRY_MS = 500

/**
 * Writes what happens in some topics, in the format of server-sent events, until the reader is gone. Each event has the
 * positions of all topics for an id, so that the client can go on after it. Nothing is read that the reader does not take:
 * a slow one falls behind, and is told to fetch anew (`resync`) where it fell too far.
 */
export async function writeStream(options: StreamOptions): Promise<void> {
  const { outgoing, sources, signal, heartbeatMs = HEARTBEAT_MS, stallMs = STALL_MS } = options
  using stack = new DisposableStack()
  const positions: Record<string, number> = {}
  const ended = AbortSignal.any([signal, closeOf(outgoing)])
  const bell = createBell(ended)
  for (const { changes } of sources.values()) stack.defer(changes.subscribe(bell.ring))

  const write = async (text: string): Promise<void> => {
    if (ended.aborted || outgoing.write(text)) return
    const patience = AbortSignal.any([ended, AbortSignal.timeout(stallMs)])
    // Given up, or gone: either way it ends here.
    await once(outgoing, 'drain', { signal: patience }).catch(() => outgoing.destroy())
  }
  const send = (event: string, data: unknown) =>
    write(frameText({ event, id: positionsText(positions), data: JSON.stringify(data) }))
  const resync = async (topic: string, source: Source) => {
    positions[topic] = await source.newest()
    await send('resync', { topic })
  }

  outgoing.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
  await write(`retry: ${RETRY_MS}\n\n`)
  const lost: [string, Source][] = []
  for (const [topic, source] of sources) {
    stack.use(source.watch())
    const after = options.after[topic]
    const goesOn = after !== undefined && (await source.canGoOn(after))
    positions[topic] = goesOn ? after : await source.newest()
    if (after !== undefined && !goesOn) lost.push([topic, source])
  }
  await send('open', {})
  for (const [topic, source] of lost) await resync(topic, source)

  while (!ended.aborted) {
    bell.quiet()
    let isMore = false
    for (const [topic, source] of sources) {
      const part = await source.next(positions[topic] as number)
      if (part === undefined) continue
      isMore = true
      if (part === 'lost') await resync(topic, source)
      else {
        positions[topic] = part.position
        await send(topic, part.data)
      }
      if (ended.aborted) break
    }
    if (isMore) continue
    if (!(await bell.wait(heartbeatMs))) await write(': alive\n\n')
    else
      await sleep(GAP_MS, undefined, { signal: ended }).catch(() => {
        // It ends: so does the loop.
      })
  }
  outgoing.end()
}

/** Aborted when the reader is gone. */
function closeOf(outgoing: ServerResponse): AbortSignal {
  const closed = new AbortController()
  if (outgoing.destroyed || outgoing.socket?.destroyed) closed.abort()
  outgoing.once('close', () => closed.abort())
  return closed.signal
}

/** Remembers that it rang while nobody listened. */
function createBell(ended: AbortSignal) {
  let rang = false
  let wake = () => {}
  ended.addEventListener('abort', () => wake(), { once: true })
  return {
    ring() {
      rang = true
      wake()
    },
    quiet() {
      rang = false
    },
    /** Resolves with true once it rings or all is over, with false after the time. */
    wait(timeoutMs: number): Promise<boolean> {
      if (rang || ended.aborted) return Promise.resolve(true)
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          wake = () => {}
          resolve(false)
        }, timeoutMs)
        wake = () => {
          clearTimeout(timer)
          wake = () => {}
          resolve(true)
        }
      })
    },
  }
}

import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFrameReader, type Frame } from '../../wire/frames.ts'
import { applyDelta, HiveState, StateDelta } from '../../wire/hive-state.ts'

export interface Following {
  /** Address of the server, without a path. */
  readonly base: string
  readonly token: string
  readonly topics: string
  /** Where to begin, as an id. */
  readonly after?: string
  /** Called with one frame after the other. */
  readonly onFrame: (frame: Frame) => void | Promise<void>
  readonly signal: AbortSignal
}

/** Follows a stream as a page does: comes again when it ends, and goes on after the last id. Resolves when `signal` aborts. */
export async function followStream({ base, token, topics, after = '', onFrame, signal }: Following): Promise<void> {
  let id = after
  while (!signal.aborted) {
    try {
      const headers = { authorization: `Bearer ${token}`, ...(id && { 'last-event-id': id }) }
      const response = await fetch(`${base}/api/stream?topics=${topics}`, { headers, signal })
      if (!response.ok) throw new Error(`the stream is refused: ${response.status} ${await response.text()}`)
      const readFrames = createFrameReader()
      for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        for (const frame of readFrames(piece)) {
          await onFrame(frame)
          id = frame.id || id
        }
      }
    } catch (error) {
      // A cut, as everywhere on the way; what the server says of itself is for the test.
      if (!signal.aborted && !(error instanceof TypeError)) throw error
    }
    await sleep(20)
  }
}

/** The state of a hive as a page keeps it. */
export class StateView {
  state: HiveState | undefined
  /** How often all of it was fetched. */
  fetched = 0
  readonly #base: string
  readonly #token: string

  constructor({ base, token }: { base: string; token: string }) {
    this.#base = base
    this.#token = token
  }

  async fetch(): Promise<HiveState> {
    for (;;) {
      try {
        const headers = { authorization: `Bearer ${this.#token}` }
        const response = await fetch(`${this.#base}/api/state`, { headers })
        this.state = HiveState.parse(await response.json())
        this.fetched += 1
        return this.state
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
        await sleep(20)
      }
    }
  }

  async take({ event, data }: Frame): Promise<void> {
    if (event === 'resync' && JSON.parse(data).topic === 'state') await this.fetch()
    if (event !== 'state' || !this.state) return
    this.state = applyDelta(this.state, StateDelta.parse(JSON.parse(data))) ?? (await this.fetch())
  }
}

/** A way to a port on which every connection is cut after 100 to 300 ms. */
export async function openCuttingProxy(
  target: number,
): Promise<{ port: number; cuts: () => number } & AsyncDisposable> {
  let cuts = 0
  const sockets = new Set<Socket>()
  const server: Server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    const cut = () => {
      near.destroy()
      far.destroy()
    }
    const timer = setTimeout(
      () => {
        cuts += 1
        cut()
      },
      100 + Math.random() * 200,
    )
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', cut)
      socket.on('close', () => {
        clearTimeout(timer)
        sockets.delete(socket)
        cut()
      })
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    cuts: () => cuts,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

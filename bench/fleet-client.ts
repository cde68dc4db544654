import { setTimeout as sleep } from 'node:timers/promises'
import { type Harness, openHarness } from './harness.ts'

export interface FleetTask {
  readonly agents: readonly string[]
  readonly sockets: readonly string[]
  readonly perSecond: number
  readonly seconds: number
}

export interface FleetResult {
  readonly latenciesMs: readonly number[]
}

const BODY_BYTES = 1024
const TICK_MS = 5

/** Takes and acks what comes; the body begins with the time it was sent at. */
async function answer(harness: Harness, onLatency: (ms: number) => void): Promise<void> {
  for (;;) {
    const [{ id, body }] = await harness.receive()
    onLatency(performance.now() - Number.parseFloat(body))
    await harness.ack([id])
  }
}

const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T

process.once('message', async ({ agents, sockets, perSecond, seconds }: FleetTask) => {
  const harnesses: Harness[] = []
  for (const socket of sockets) harnesses.push(await openHarness(socket))
  const latenciesMs: number[] = []
  for (const harness of harnesses) void answer(harness, (ms) => latenciesMs.push(ms)).catch(() => {})
  process.send?.({ ready: true })
  await new Promise((resolve) => process.once('message', resolve))
  const startedAt = performance.now()
  const total = perSecond * seconds
  const sends: Promise<unknown>[] = []
  while (sends.length < total) {
    const due = Math.min(total, ((performance.now() - startedAt) / 1000) * perSecond)
    while (sends.length < due) {
      const body = `${performance.now()} `.padEnd(BODY_BYTES, 'x')
      sends.push(pick(harnesses).call.send({ to: pick(agents), body }))
    }
    await sleep(TICK_MS)
  }
  await Promise.all(sends)
  while (latenciesMs.length < total) await sleep(TICK_MS)
  process.send?.({ latenciesMs } satisfies FleetResult, () => process.exit())
})

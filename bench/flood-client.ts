import { setTimeout as sleep } from 'node:timers/promises'
import { HiveError } from '../src/wire/errors.ts'
import { openHarness } from './harness.ts'

export interface FloodTask {
  readonly socket: string
  readonly to: string
  readonly perSecond: number
  readonly seconds: number
}

export interface FloodResult {
  readonly sent: number
  /** How many were answered with `ok` or an error code. */
  readonly answers: Readonly<Record<string, number>>
}

const TICK_MS = 5
const BODY = 'x'.repeat(1024)

process.once('message', async ({ socket, to, perSecond, seconds }: FloodTask) => {
  const harness = await openHarness(socket)
  const answers: Record<string, number> = {}
  const count = (answer: string) => {
    answers[answer] = (answers[answer] ?? 0) + 1
  }
  const startedAt = performance.now()
  const total = perSecond * seconds
  const sends: Promise<void>[] = []
  while (sends.length < total) {
    const due = Math.min(total, ((performance.now() - startedAt) / 1000) * perSecond)
    while (sends.length < due) {
      const sending = harness.call.send({ to, body: BODY })
      sends.push(
        sending.then(
          () => count('ok'),
          (error: unknown) => count(error instanceof HiveError ? error.code : 'failed'),
        ),
      )
    }
    await sleep(TICK_MS)
  }
  await Promise.all(sends)
  process.send?.({ sent: sends.length, answers } satisfies FloodResult, () => process.exit())
})

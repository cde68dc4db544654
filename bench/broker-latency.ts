import { median, printMachine, printTable, quantile } from './measure.ts'
import { openReceiver, openSender } from './queues/clients.ts'
import type { Queue } from './queues/queue.ts'
import { openQueues } from './queues/servers.ts'

const ROUNDS = 5
const WARM_UP = 300
const MESSAGES = 2_000
const BODY = 'x'.repeat(1024)
const US_PER_MS = 1000

interface Round {
  /** Microseconds from the call of send until the receiver has the message. */
  readonly received: number[]
  /** Microseconds until its ack is confirmed. */
  readonly acked: number[]
}

/** One message at a time, sender and receiver on connections of their own. */
async function measureRound(queue: Queue): Promise<Round> {
  const [sender, receiver] = await Promise.all([openSender(queue.address), openReceiver(queue.address)])
  const received: number[] = []
  const acked: number[] = []
  for (let n = 0; n < WARM_UP + MESSAGES; n += 1) {
    const receiving = receiver.receive(1)
    const start = performance.now()
    const sending = sender.send(BODY)
    const messages = await receiving
    const receivedAt = performance.now()
    await sending
    await receiver.ack(messages)
    if (n < WARM_UP) continue
    received.push((receivedAt - start) * US_PER_MS)
    acked.push((performance.now() - start) * US_PER_MS)
  }
  await Promise.all([sender.close(), receiver.close()])
  return { received, acked }
}

printMachine()
await using stack = new AsyncDisposableStack()
const queues = await openQueues(stack, process.argv.slice(2))

const rounds = new Map<Queue, Round[]>(queues.map((queue) => [queue, []]))
for (let round = 0; round < ROUNDS; round += 1) {
  for (const queue of queues) rounds.get(queue)?.push(await measureRound(queue))
}

const [hive] = queues
const medianOf = (queue: Queue, value: (round: Round) => number) => median((rounds.get(queue) ?? []).map(value))
const p50 = (queue: Queue) => medianOf(queue, ({ received }) => quantile(received, 0.5))
printTable(
  ['one at a time, 1 KiB', 'send→receive p50 µs', 'p99 µs', 'cycle with ack p50 µs', 'p99 µs', 'hive p50 ÷ this'],
  queues.map((queue) => [
    queue.name,
    p50(queue).toFixed(0),
    medianOf(queue, ({ received }) => quantile(received, 0.99)).toFixed(0),
    medianOf(queue, ({ acked }) => quantile(acked, 0.5)).toFixed(0),
    medianOf(queue, ({ acked }) => quantile(acked, 0.99)).toFixed(0),
    (p50(hive) / p50(queue)).toFixed(2),
  ]),
)

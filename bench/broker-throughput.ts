import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { cpuSeconds, median, printMachine, printTable, residentMiB } from './measure.ts'
import type { Queue } from './queues/queue.ts'
import { openQueues } from './queues/servers.ts'
import type { ClientTask } from './throughput-client.ts'

const ROUNDS = 5
const MESSAGES = 20_000
const WINDOW = 256

interface Round {
  readonly perSecond: number
  /** Share of one core that the server used. */
  readonly cpu: number
}

async function startClient(task: ClientTask): Promise<ChildProcess> {
  const client = fork(join(import.meta.dirname, 'throughput-client.ts'))
  client.send(task)
  await once(client, 'message')
  return client
}

/** Sender and receiver in processes of their own; from the first send to the last confirmed ack. */
async function measureRound({ address, pid }: Queue, messages: number): Promise<Round> {
  const task = { address, messages, window: WINDOW }
  const receiver = await startClient({ ...task, role: 'receive' })
  const sender = await startClient({ ...task, role: 'send' })
  const cpuBefore = cpuSeconds(pid)
  const startedAt = Date.now()
  receiver.send('go')
  sender.send('go')
  const [{ doneAt }] = (await once(receiver, 'message')) as [{ doneAt: number }]
  const seconds = (doneAt - startedAt) / 1000
  const cpu = (cpuSeconds(pid) - cpuBefore) / seconds
  await Promise.all([sender, receiver].map((client) => client.exitCode ?? once(client, 'exit')))
  return { perSecond: messages / seconds, cpu }
}

printMachine()
await using stack = new AsyncDisposableStack()
const queues = await openQueues(stack, process.argv.slice(2))

const rounds = new Map<Queue, Round[]>(queues.map((queue) => [queue, []]))
for (const queue of queues) await measureRound(queue, MESSAGES / 4)
for (let round = 0; round < ROUNDS; round += 1) {
  for (const queue of queues) rounds.get(queue)?.push(await measureRound(queue, MESSAGES))
}

const medianOf = (queue: Queue, value: (round: Round) => number) => median((rounds.get(queue) ?? []).map(value))
const perSecond = (queue: Queue) => medianOf(queue, (round) => round.perSecond)
const [hive] = queues
printTable(
  [`${WINDOW} in flight, 1 KiB, all acked`, 'messages/s', 'server % of a core', 'server RSS MiB', 'hive ÷ this'],
  queues.map((queue) => [
    queue.name,
    perSecond(queue).toFixed(0),
    queue.address.kind === 'postgres' ? 'not measured' : (100 * medianOf(queue, ({ cpu }) => cpu)).toFixed(0),
    queue.address.kind === 'postgres' ? 'not measured' : residentMiB(queue.pid).toFixed(0),
    (perSecond(hive) / perSecond(queue)).toFixed(2),
  ]),
)

import { openHarness } from '../harness.ts'
import { openBenchHive, UNLIMITED } from '../hive.ts'
import type { Queue, QueueAddress, Receiver, Sender } from './queue.ts'

const SENDER = 'sender'
const RECEIVER = 'receiver'

/** The daemon of a hive with two agents; a turn of the receiver takes what is there and acks it. */
export async function openHive(): Promise<Queue> {
  const hive = await openBenchHive({ agents: [SENDER, RECEIVER], settings: UNLIMITED })
  return {
    name: 'hive, SQLite FULL',
    pid: hive.pid,
    address: { kind: 'hive', socket: hive.socketOf('*') },
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  }
}

const socketOf = ({ socket }: QueueAddress, agent: string): string => socket.replace('*', agent)

export async function openHiveSender(address: QueueAddress): Promise<Sender> {
  const { call, close } = await openHarness(socketOf(address, SENDER))
  return {
    async send(body) {
      await call.send({ to: RECEIVER, body })
    },
    close,
  }
}

export async function openHiveReceiver(address: QueueAddress): Promise<Receiver> {
  const { close, receive, ack } = await openHarness(socketOf(address, RECEIVER))
  return {
    receive,
    ack: (messages) => ack(messages.map(({ id }) => Number(id))),
    close,
  }
}

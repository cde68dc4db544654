import { openReceiver, openSender } from './queues/clients.ts'
import type { QueueAddress } from './queues/queue.ts'

/** What the parent asks of a client process; the answer is the time when it was done (unix ms). */
export interface ClientTask {
  readonly role: 'send' | 'receive'
  readonly address: QueueAddress
  readonly messages: number
  /** Sends that may be unconfirmed, or messages taken at once. */
  readonly window: number
}

const BODY = 'x'.repeat(1024)

async function sendAll({ address, messages, window }: ClientTask): Promise<void> {
  const sender = await openSender(address)
  await ready()
  let left = messages
  const lane = async () => {
    while (left > 0) {
      left -= 1
      await sender.send(BODY)
    }
  }
  await Promise.all(Array.from({ length: window }, lane))
  await sender.close()
}

async function receiveAll({ address, messages, window }: ClientTask): Promise<void> {
  const receiver = await openReceiver(address)
  await ready()
  for (let left = messages; left > 0; ) {
    const received = await receiver.receive(Math.min(left, window))
    await receiver.ack(received)
    left -= received.length
  }
  process.send?.({ doneAt: Date.now() })
  await receiver.close()
}

/** Resolves when the parent says that both clients are connected. */
async function ready(): Promise<void> {
  process.send?.({ ready: true })
  await new Promise((resolve) => process.once('message', resolve))
}

process.once('message', async (task: ClientTask) => {
  await (task.role === 'send' ? sendAll(task) : receiveAll(task))
  process.disconnect()
})

import { connectOps, type OpConnection } from '../src/kit/op-client.ts'
import { agentOps } from '../src/wire/agent-ops.ts'
import type { Delivery } from '../src/wire/things.ts'

/** A connected agent, played by the benchmark as its harness would. */
export interface Harness {
  readonly call: OpConnection<typeof agentOps>['call']
  /** Waits, by long polls, for the messages that begin a turn, `max` at most. */
  receive(max?: number): Promise<readonly [Delivery, ...Delivery[]]>
  /** Ends the turn that holds these messages. */
  ack(ids: number[]): Promise<void>
  close(): Promise<void>
}

const LONG_POLL_SECONDS = 180
/** A harness that is silent for 30 s is taken for dead. */
const HEARTBEAT_MS = 10_000

/** Says hello on the socket of an agent and gives a sign of life from then on. */
export async function openHarness(socket: string): Promise<Harness> {
  const connection = await connectOps(agentOps, socket)
  const { call } = connection
  const { epoch } = await call.hello({ revision: 'bench' })
  const heartbeat = setInterval(() => void call.status({ brain: 'idle' }), HEARTBEAT_MS)
  return {
    call,
    async receive(max = 1) {
      for (;;) {
        const [first, ...others] = (await call.recv({ wait_seconds: LONG_POLL_SECONDS, max })).messages
        if (first) return [first, ...others]
      }
    },
    async ack(ids) {
      await call.ack({ epoch, ids, end: { reason: 'ok', detail: '' } })
    },
    async close() {
      clearInterval(heartbeat)
      await connection[Symbol.asyncDispose]()
    },
  }
}

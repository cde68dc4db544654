import { setTimeout as sleep } from 'node:timers/promises'
import { connectOps } from '../../src/kit/op-client.ts'
import { HiveError } from '../../src/wire/errors.ts'
import type { Delivery } from '../../src/wire/things.ts'
import { brokerOps } from './broker-ops.ts'

/**
 * `node consumer-program.ts SOCKET AGENT`: takes and acks the mail of an agent until it is killed, whatever happens to the
 * broker. Says `took ID ATTEMPT` and, when the broker confirmed it, `acked ID`.
 */
const [, , socket = '', agent = ''] = process.argv
const say = (line: string) => process.stdout.write(`${line}\n`)

let epoch: number | undefined
for (;;) {
  try {
    await using connection = await connectOps(brokerOps, socket)
    const { call } = connection
    const hello = await call.hello({ agent, epoch })
    epoch = hello.epoch
    for (let held: Delivery[] = hello.leases; ; held = []) {
      if (held.length === 0) {
        const max = 1 + Math.floor(Math.random() * 4)
        held = (await call.recv({ agent, epoch, waitMs: 1_000, max })).messages
        if (held.length === 0) continue
      }
      for (const { id, attempt } of held) say(`took ${id} ${attempt}`)
      await call.ack({ agent, epoch, ids: held.map(({ id }) => id) })
      say(`ended ${held[0]?.id} ${held[0]?.attempt}`)
      for (const { id } of held) say(`acked ${id}`)
    }
  } catch (error) {
    // The broker was killed. An ack that was stored but not confirmed is repeated, and refused.
    if (!(error instanceof HiveError) || !['unreachable', 'stale_lease', 'conflict'].includes(error.code)) throw error
    await sleep(5)
  }
}

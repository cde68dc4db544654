import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FloodResult, FloodTask } from './flood-client.ts'
import { type Harness, openHarness } from './harness.ts'
import { agentNames, openBenchHive } from './hive.ts'
import { printMachine, printTable, quantile, residentMiB } from './measure.ts'

const SECONDS = 10
const FLOOD_PER_SECOND = 10_000
/** Of each of the others; the default cap is 20. */
const OTHERS_PER_SECOND = 10
const BODY = 'x'.repeat(1024)
const OTHERS = agentNames(10)

/** Sends to itself at a steady pace for a while; gives the latencies from send to receive. */
async function measureOther(name: string, harness: Harness, latenciesMs: number[]): Promise<void> {
  for (const until = performance.now() + SECONDS * 1000; performance.now() < until; ) {
    const receiving = harness.receive()
    const start = performance.now()
    const sending = harness.call.send({ to: name, body: BODY })
    const [{ id }] = await receiving
    latenciesMs.push(performance.now() - start)
    await sending
    await harness.ack([id])
    await sleep(1000 / OTHERS_PER_SECOND)
  }
}

async function measureOthers(harnesses: ReadonlyMap<string, Harness>): Promise<number[]> {
  const latenciesMs: number[] = []
  await Promise.all([...harnesses].map(([name, harness]) => measureOther(name, harness, latenciesMs)))
  return latenciesMs
}

printMachine()
// The caps are the defaults: they are what is measured.
await using hive = await openBenchHive({ agents: ['flooder', ...OTHERS], settings: {} })
const harnesses = new Map<string, Harness>()
for (const name of OTHERS) harnesses.set(name, await openHarness(hive.socketOf(name)))
const before = await measureOthers(harnesses)
const memoryBefore = residentMiB(hive.pid)

const flooder = fork(join(import.meta.dirname, 'flood-client.ts'))
const task = { socket: hive.socketOf('flooder'), to: 'a0', perSecond: FLOOD_PER_SECOND, seconds: SECONDS }
flooder.send(task satisfies FloodTask)
const flooded = once(flooder, 'message') as Promise<[FloodResult]>
const during = await measureOthers(harnesses)
const [{ sent, answers }] = await flooded
const memoryAfter = residentMiB(hive.pid)
for (const harness of harnesses.values()) await harness.close()

const row = (name: string, latencies: number[], memory: number) => [
  name,
  latencies.length,
  quantile(latencies, 0.5).toFixed(2),
  quantile(latencies, 0.99).toFixed(2),
  memory.toFixed(0),
]
printTable(
  ['10 other agents', 'messages', 'send→receive p50 ms', 'p99 ms', 'daemon RSS MiB'],
  [row('before', before, memoryBefore), row('during the flood', during, memoryAfter)],
)
console.log(`\nthe flooder sent ${(sent / SECONDS).toFixed(0)}/s: ${JSON.stringify(answers)}`)

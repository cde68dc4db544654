import { openHarness } from './harness.ts'
import { agentNames, openBenchHive, UNLIMITED } from './hive.ts'
import { median, printMachine, printTable, residentMiB } from './measure.ts'

const ROUNDS = 3
const AGENTS = agentNames(10)
const QUEUED = [0, 100_000]

/** From the start of the program until the operator is answered, and until an agent has its first message. */
async function measureStart(queued: number): Promise<{ servedMs: number; memoryMiB: number }> {
  await using hive = await openBenchHive({ agents: AGENTS, settings: UNLIMITED, queued })
  if (queued > 0) {
    const harness = await openHarness(hive.socketOf('a0'))
    const [{ pending }] = await harness.receive()
    if (pending !== queued / AGENTS.length - 1) throw new Error(`${pending} messages wait`)
    await harness.close()
  }
  return { servedMs: hive.startMs, memoryMiB: residentMiB(hive.pid) }
}

printMachine()
const rounds = new Map(QUEUED.map((queued) => [queued, [] as Awaited<ReturnType<typeof measureStart>>[]]))
for (let round = 0; round < ROUNDS; round += 1) {
  for (const queued of QUEUED) rounds.get(queued)?.push(await measureStart(queued))
}
printTable(
  ['messages of 1 KiB that wait', 'start until it serves, ms', 'daemon RSS MiB'],
  [...rounds].map(([queued, results]) => [
    queued,
    median(results.map(({ servedMs }) => servedMs)).toFixed(0),
    median(results.map(({ memoryMiB }) => memoryMiB)).toFixed(0),
  ]),
)

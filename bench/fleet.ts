import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { FleetResult, FleetTask } from './fleet-client.ts'
import { agentNames, openBenchHive, UNLIMITED } from './hive.ts'
import { cpuSeconds, printMachine, printTable, quantile, residentMiB } from './measure.ts'

const SIZES = [200, 1_000]
const PER_SECOND = 500
const SECONDS = 20

/** All agents are connected and long-poll; messages go from random ones to random ones. */
async function measureFleet(size: number): Promise<(string | number)[]> {
  const agents = agentNames(size)
  await using hive = await openBenchHive({ agents, settings: UNLIMITED })
  const sockets = agents.map((agent) => hive.socketOf(agent))
  const client: ChildProcess = fork(join(import.meta.dirname, 'fleet-client.ts'))
  client.send({ agents, sockets, perSecond: PER_SECOND, seconds: SECONDS } satisfies FleetTask)
  await once(client, 'message')
  const [cpuBefore, startedAt] = [cpuSeconds(hive.pid), Date.now()]
  client.send('go')
  const [{ latenciesMs }] = (await once(client, 'message')) as [FleetResult]
  const seconds = (Date.now() - startedAt) / 1000
  const cpu = (cpuSeconds(hive.pid) - cpuBefore) / seconds
  const memory = residentMiB(hive.pid)
  const at = (share: number) => quantile(latenciesMs, share).toFixed(2)
  const rate = (latenciesMs.length / seconds).toFixed(0)
  return [size, rate, latenciesMs.length, at(0.5), at(0.99), memory.toFixed(0), (100 * cpu).toFixed(0)]
}

printMachine()
const rows: (string | number)[][] = []
for (const size of SIZES) rows.push(await measureFleet(size))
printTable(
  [
    'agents that long-poll',
    'messages/s',
    'delivered',
    'send→receive p50 ms',
    'p99 ms',
    'daemon RSS MiB',
    'daemon % of a core',
  ],
  rows,
)

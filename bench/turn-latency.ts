import { setTimeout as sleep } from 'node:timers/promises'
import { startTestHive, type TestHive } from '../test/hive.ts'
import { median, printMachine, printTable, privateMiB, quantile, residentMiB } from './measure.ts'
import { findAgentProcesses } from './processes.ts'

/** Turns per kind, the first of each not counted. */
const TURNS = { warm: 41, paused: 41, cold: 9, idle: 7 }
/** Between two turns of one kind: processors that sleep meanwhile take longer. */
const PAUSE_MS = 50
const IDLE_SECONDS = 2
/** After the idle exit was due. */
const IDLE_MARGIN_MS = 1_500
const OTHER_AGENTS = ['a1', 'a2', 'a3']

/** Milliseconds from the operator's send until the request of the turn arrives at the model server. */
async function measureTurn(hive: TestHive, agent: string, mark: string): Promise<number> {
  const call = await hive.host()
  const before = new Set(hive.model.requests)
  const start = performance.now()
  const sent = await call.send({ to: agent, body: `say ${mark}` })
  const request = await hive.model.waitForRequest((one) => one.agent === agent && !before.has(one))
  const tookMs = request.arrivedAt - start
  await hive.message(sent.id, ({ state }) => state === 'done')
  return tookMs
}

async function measureTurns(hive: TestHive, kind: keyof typeof TURNS, pauseMs: number): Promise<number[]> {
  const latenciesMs: number[] = []
  for (let n = 0; n < TURNS[kind]; n += 1) {
    latenciesMs.push(await measureTurn(hive, 'manager', `${kind}-${n}-`))
    await sleep(pauseMs)
  }
  return latenciesMs.slice(1)
}

async function withHive<T>(keepWarmSeconds: number, measure: (hive: TestHive) => Promise<T>): Promise<T> {
  // While a hive ends there are moments when nothing else keeps this process alive.
  const alive = setInterval(() => {}, 1000)
  try {
    await using hive = await startTestHive({ keepWarmSeconds })
    return await measure(hive)
  } finally {
    clearInterval(alive)
  }
}

/** Manager and three agents, each after a turn and with its engine up. */
async function measureMemory(hive: TestHive): Promise<(string | number)[][]> {
  const call = await hive.host()
  for (const name of OTHER_AGENTS) await call.spawn({ name })
  for (const name of OTHER_AGENTS) await measureTurn(hive, name, `memory-${name}-`)
  const { harnesses, engines } = findAgentProcesses(hive.stateDir)
  const row = (name: string, pids: readonly number[]) => [
    name,
    pids.length,
    median(pids.map(residentMiB)).toFixed(0),
    median(pids.map(privateMiB)).toFixed(0),
  ]
  return [row('daemon', [hive.daemonPid()]), row('harness', harnesses), row('claude', engines)]
}

printMachine()
const [warm, paused, memory] = await withHive(600, async (hive) => [
  await measureTurns(hive, 'warm', 0),
  await measureTurns(hive, 'paused', PAUSE_MS),
  await measureMemory(hive),
])
const cold = await withHive(0, (hive) => measureTurns(hive, 'cold', PAUSE_MS))
const idle = await withHive(IDLE_SECONDS, (hive) => measureTurns(hive, 'idle', IDLE_SECONDS * 1000 + IDLE_MARGIN_MS))

const row = (name: string, latencies: readonly number[]) => [
  name,
  latencies.length,
  median(latencies).toFixed(0),
  quantile(latencies, 0.9).toFixed(0),
  (median(latencies) / median(warm)).toFixed(1),
]
printTable(
  ['message → model request', 'turns', 'p50 ms', 'p90 ms', '÷ warm'],
  [
    row('warm, one after the other', warm),
    row(`warm, ${PAUSE_MS} ms apart`, paused),
    row('keepWarm 0', cold),
    row('first after an idle exit', idle),
  ],
)
console.log()
printTable(['manager and three agents', 'processes', 'RSS MiB (median)', 'private MiB (median)'], memory)

import { parseArgs } from 'node:util'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    agents: { type: 'string', default: '8' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
  },
})
const seed = Number(values.seed)
process.stdout.write(`seed ${seed}\n`)
const { daemonMiB, ...report } = await soak({
  seconds: Number(values.minutes) * 60,
  agents: Number(values.agents),
  seed,
  log: (line) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`),
})
const third = Math.floor(daemonMiB.length / 3)
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
const growth = median(daemonMiB.slice(-third)) / median(daemonMiB.slice(0, third))
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
process.stdout.write(
  `daemon: ${median(daemonMiB).toFixed(0)} MiB, last third ${growth.toFixed(2)} × the first, ${daemonMiB.length} samples\n`,
)
if (report.problems.length > 0) process.exitCode = 1

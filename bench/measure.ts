import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'

/** The value below which `share` (0..1) of the samples lie. Throws without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  if (value === undefined) throw new Error('no samples')
  return value
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5)

/** Splits like a table of people: a header, then rows, padded to be readable as text too. */
export function printTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = [header, ...rows].map((row) => row.map(String))
  const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const [head = [], ...rest] = cells
  console.log([line(head), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('\n'))
}

/** What the numbers were taken on, and how busy it was: a number without it says nothing. */
export function printMachine(): void {
  const [cpu] = cpus()
  const memoryGiB = Math.round(totalmem() / 1024 ** 3)
  const load = loadavg()[0]?.toFixed(2)
  console.log(`${cpus().length} x ${cpu?.model.trim()}, ${memoryGiB} GiB, node ${process.version}, load ${load}\n`)
}

const KIB = 1024

/** Resident memory of a process, in MiB. */
export const residentMiB = (pid: number): number => statusKiB(pid, 'status', 'VmRSS') / KIB

/** Memory that would be free if the process ended, in MiB. */
export const privateMiB = (pid: number): number =>
  (statusKiB(pid, 'smaps_rollup', 'Private_Clean') + statusKiB(pid, 'smaps_rollup', 'Private_Dirty')) / KIB

function statusKiB(pid: number, file: 'status' | 'smaps_rollup', field: string): number {
  const match = readFileSync(`/proc/${pid}/${file}`, 'utf8').match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))
  if (!match) throw new Error(`no ${field} in /proc/${pid}/${file}`)
  return Number(match[1])
}

const TICKS_PER_SECOND = 100

/** Seconds of processor time that a process has used. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface AgentProcesses {
  readonly harnesses: readonly number[]
  readonly engines: readonly number[]
}

/** Pids of the harnesses and engines that run in the containers of a hive. */
export function findAgentProcesses(stateDir: string): AgentProcesses {
  const containers = join(stateDir, 'containers')
  const inits = readdirSync(containers).flatMap((name) => readInit(join(containers, name, 'run.json')))
  const parents = readParents()
  const inside = [...parents.keys()].filter((pid) => inits.some((init) => descends(pid, init, parents)))
  const running = (program: RegExp) => inside.filter((pid) => program.test(readArgv(pid)))
  return { harnesses: running(/^\S*node .*harness\.mjs/), engines: running(/^\S*claude /) }
}

const readInit = (file: string): number[] =>
  existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8')).processes.init.pid] : []

function readParents(): Map<number, number> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return new Map(pids.flatMap((pid) => readParent(Number(pid))))
}

function readParent(pid: number): [number, number][] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return [[pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]]
  } catch {
    return [] // It ended meanwhile.
  }
}

function descends(pid: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at: number | undefined = pid; at; at = parents.get(at)) if (at === ancestor) return true
  return false
}

function readArgv(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // It ended meanwhile.
  }
}

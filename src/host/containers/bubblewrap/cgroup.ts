import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Limits } from '../runtime.ts'

const ROOT = '/sys/fs/cgroup'
const CPU_PERIOD_US = 100_000

/** The cgroups of one container; empty where this host lets us make none. */
export interface Cgroup {
  /** Files to which a process writes its pid to join. */
  readonly join: readonly string[]
  /** What is enforced. */
  readonly enforced: readonly ('memory' | 'cpu' | 'pids')[]
  /** Processes of it that the kernel killed for memory, so far. */
  oomKills(): number
  /** Ends every process in it, where the kernel can (cgroup v2). */
  kill(): void
  remove(): void
}

/** Makes or takes up the cgroups of a container and sets its limits: v2 where the controllers are there, else v1. */
export function openCgroup(hive: string, container: string, limits: Limits): Cgroup {
  const groups = existsSync(join(ROOT, 'cgroup.controllers'))
    ? openV2(join(ROOT, hive), join(ROOT, hive, container), limits)
    : openV1(hive, container, limits)
  return {
    join: groups.directories.map((directory) => join(directory, 'cgroup.procs')),
    enforced: groups.enforced,
    oomKills: () => readOomKills(groups.directories),
    kill() {
      for (const directory of groups.directories) {
        const file = join(directory, 'cgroup.kill')
        if (existsSync(file)) writeFileSync(file, '1')
      }
    },
    remove() {
      for (const directory of groups.directories) {
        try {
          rmdirSync(directory)
        } catch {
          // A process is still on its way out; the next start takes the directory up again.
        }
      }
    },
  }
}

interface Groups {
  readonly directories: string[]
  readonly enforced: ('memory' | 'cpu' | 'pids')[]
}

function openV2(parent: string, directory: string, limits: Limits): Groups {
  if (!tryMake(parent)) return { directories: [], enforced: [] }
  const enforced: Groups['enforced'] = []
  for (const controller of ['memory', 'cpu', 'pids'] as const) {
    if (tryWrite(join(parent, 'cgroup.subtree_control'), `+${controller}`)) enforced.push(controller)
  }
  if (!tryMake(directory)) return { directories: [], enforced: [] }
  if (limits.memoryBytes) tryWrite(join(directory, 'memory.max'), String(limits.memoryBytes))
  if (limits.cpus) tryWrite(join(directory, 'cpu.max'), `${Math.round(limits.cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`)
  if (limits.pids) tryWrite(join(directory, 'pids.max'), String(limits.pids))
  return { directories: [directory], enforced }
}

function openV1(hive: string, container: string, limits: Limits): Groups {
  const files = {
    memory: limits.memoryBytes ? [['memory.limit_in_bytes', limits.memoryBytes]] : [],
    cpu: limits.cpus
      ? [
          ['cpu.cfs_period_us', CPU_PERIOD_US],
          ['cpu.cfs_quota_us', Math.round(limits.cpus * CPU_PERIOD_US)],
        ]
      : [],
    pids: limits.pids ? [['pids.max', limits.pids]] : [],
    // Without controllers, but it can kill all of its processes at once.
    unified: [],
  }
  const directories: string[] = []
  const enforced: Groups['enforced'] = []
  for (const [controller, settings] of Object.entries(files)) {
    const directory = join(ROOT, controller, hive, container)
    if (!existsSync(join(ROOT, controller)) || !tryMake(directory)) continue
    directories.push(directory)
    if (controller !== 'unified') enforced.push(controller as 'memory')
    for (const [file, value] of settings) tryWrite(join(directory, String(file)), String(value))
  }
  return { directories, enforced }
}

/** False where this host does not let us: an ordinary user without a delegated cgroup. */
function tryMake(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true })
    return true
  } catch {
    return false
  }
}

function tryWrite(file: string, value: string): boolean {
  try {
    writeFileSync(file, value)
    return true
  } catch {
    return false
  }
}

function readOomKills(directories: readonly string[]): number {
  for (const directory of directories) {
    for (const file of ['memory.events', 'memory.oom_control']) {
      const path = join(directory, file)
      if (existsSync(path)) return Number(/oom_kill (\d+)/.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
    }
  }
  return 0
}

import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Limits } from '../runtime.ts'

export type Limit = 'memory' | 'cpu' | 'pids'
const LIMITS = ['memory', 'cpu', 'pids'] as const
const CPU_PERIOD_US = 100_000

/** The cgroups of one container. */
export interface Cgroup {
  /** Files to which a process writes its pid to join; none where this host lets us make no cgroup. */
  readonly procs: readonly string[]
  /** What this host lets us limit. */
  readonly enforced: readonly Limit[]
  /** How many processes the kernel killed in it for want of memory, in all its lives. */
  countOomKills(): number
  /** Forgets it, when nothing runs in it. */
  remove(): void
}

/** Where a hive's cgroups are. */
export interface CgroupPlace {
  /** The mounted cgroup file systems. */
  readonly root: string
  /** Our own cgroup, as /proc/self/cgroup tells (v2): an ordinary user may make others only near it. */
  readonly own: string
  /** Folder of the hive. */
  readonly hive: string
}

export const cgroupPlace = (hive: string): CgroupPlace => ({
  root: '/sys/fs/cgroup',
  own: /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/',
  hive,
})

/** Makes or takes up the cgroups of a container: v2 where it is the only one, else v1. Sets no limit yet. */
export function openCgroup(place: CgroupPlace, container: string): Cgroup & { limit(limits: Limits): void } {
  const isV2 = existsSync(join(place.root, 'cgroup.controllers'))
  const groups = isV2 ? openV2(place, container) : openV1(place, container)
  const enforced = LIMITS.filter((limit) => groups[limit] !== undefined)
  const directories = [...new Set(Object.values(groups))]
  return {
    procs: directories.map((directory) => join(directory, 'cgroup.procs')),
    enforced,
    limit(limits) {
      const files = isV2 ? limitFilesV2(limits) : limitFilesV1(limits)
      for (const limit of enforced) {
        for (const [file, value] of files[limit]) writeFileSync(join(groups[limit] as string, file), value)
      }
    },
    countOomKills() {
      const file = groups.memory && join(groups.memory, isV2 ? 'memory.events' : 'memory.oom_control')
      return file && existsSync(file) ? Number(/^oom_kill (\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0) : 0
    },
    remove() {
      // The hive's own folder too, when this was the last in it.
      for (const directory of directories) if (tryRemove(directory)) tryRemove(dirname(directory))
    },
  }
}

type Files = Record<Limit, readonly (readonly [file: string, value: string])[]>

/** Every limit is written, absent ones too: the cgroup may have had another in its last life. */
export function limitFilesV2({ memoryBytes, cpus, pids }: Limits): Files {
  return {
    memory: [['memory.max', String(memoryBytes ?? 'max')]],
    cpu: [['cpu.max', `${cpus === undefined ? 'max' : Math.round(cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`]],
    pids: [['pids.max', String(pids ?? 'max')]],
  }
}

export function limitFilesV1({ memoryBytes, cpus, pids }: Limits): Files {
  return {
    memory: [['memory.limit_in_bytes', String(memoryBytes ?? -1)]],
    cpu: [
      ['cpu.cfs_period_us', String(CPU_PERIOD_US)],
      ['cpu.cfs_quota_us', String(cpus === undefined ? -1 : Math.round(cpus * CPU_PERIOD_US))],
    ],
    pids: [['pids.max', String(pids ?? 'max')]],
  }
}

type Groups = Partial<Record<Limit, string>>

function openV2({ root, own, hive }: CgroupPlace, container: string): Groups {
  const parent = findWritable(root, own)
  const directory = parent && join(parent, hive, container)
  if (!parent || !directory || !tryMake(directory)) return {}
  const enforced = LIMITS.filter((limit) =>
    [parent, join(parent, hive)].every((above) => tryWrite(join(above, 'cgroup.subtree_control'), `+${limit}`)),
  )
  return Object.fromEntries(enforced.map((limit) => [limit, directory]))
}

/** The highest cgroup above our own that is ours to divide: the root for root, else what was delegated to us. */
function findWritable(root: string, own: string): string | undefined {
  let highest: string | undefined
  for (let path = own; ; path = dirname(path)) {
    if (isWritable(join(root, path, 'cgroup.procs'))) highest = join(root, path)
    else if (highest) return highest
    if (path === '/') return highest
  }
}

function openV1({ root, hive }: CgroupPlace, container: string): Groups {
  const made = LIMITS.map((limit) => [limit, join(root, limit)] as const)
    .filter(([, directory]) => existsSync(directory))
    .map(([limit, directory]) => [limit, join(directory, hive, container)] as const)
    .filter(([, directory]) => tryMake(directory))
  return Object.fromEntries(made)
}

// This host may not let us: an ordinary user without a delegated cgroup, a controller that is switched off.
// What could be had shows in `enforced`, and the caller says so.

const isWritable = (file: string): boolean => succeeds(() => accessSync(file, constants.W_OK))
const tryMake = (directory: string): boolean => succeeds(() => mkdirSync(directory, { recursive: true }))
const tryWrite = (file: string, value: string): boolean => succeeds(() => writeFileSync(file, value))
const tryRemove = (directory: string): boolean => succeeds(() => rmdirSync(directory))

function succeeds(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}

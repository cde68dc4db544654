import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Limits } from '../runtime.ts'

export type Limit = 'memory' | 'cpu' | 'pids'
const LIMITS = ['memory', 'cpu', 'pids'] as const
const CPU_PERIOD_US = 100_000

/** The cgroups of one container; nothing is touched before it is made. */
export interface Cgroup {
  /** Makes it, or takes it up, and sets its limits. Gives those that this host enforces, asked for or not. */
  make(limits: Limits): readonly Limit[]
  /** Files to which a process writes its pid to join; none where this host lets us make no cgroup. */
  procs(): readonly string[]
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

/** The cgroups of a container: v2 where it is the only one, else v1. */
export function createCgroup(place: CgroupPlace, container: string): Cgroup {
  const isV2 = existsSync(join(place.root, 'cgroup.controllers'))
  const groups = isV2 ? findV2(place, container) : findV1(place, container)
  const directories = [...new Set(Object.values(groups))]
  return {
    make(limits) {
      const files = isV2 ? limitFilesV2(limits) : limitFilesV1(limits)
      return LIMITS.filter((limit) => {
        const directory = groups[limit]
        if (directory === undefined || !tryMake(directory) || (isV2 && !tryEnable(directory, limit))) return false
        return files[limit].every(
          ([file, value, need]) => tryWrite(join(directory, file), value) || need === 'if there',
        )
      })
    },
    procs: () =>
      directories.filter((directory) => existsSync(directory)).map((directory) => join(directory, 'cgroup.procs')),
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

/** `if there`: kernels without swap accounting have no such file, and limit what they can. */
type Files = Record<Limit, readonly (readonly [file: string, value: string, need?: 'if there'])[]>

/**
 * Every limit is written, absent ones too: the cgroup may have had another in its last life. What is limited must not go
 * on in swap.
 */
export function limitFilesV2({ memoryBytes, cpus, pids }: Limits): Files {
  return {
    memory: [
      ['memory.max', String(memoryBytes ?? 'max')],
      ['memory.swap.max', memoryBytes === undefined ? 'max' : '0', 'if there'],
    ],
    cpu: [['cpu.max', `${cpus === undefined ? 'max' : Math.round(cpus * CPU_PERIOD_US)} ${CPU_PERIOD_US}`]],
    pids: [['pids.max', String(pids ?? 'max')]],
  }
}

export function limitFilesV1({ memoryBytes, cpus, pids }: Limits): Files {
  return {
    memory: [
      // Memory and swap together; never below memory alone, so it makes way first.
      ['memory.memsw.limit_in_bytes', '-1', 'if there'],
      ['memory.limit_in_bytes', String(memoryBytes ?? -1)],
      ['memory.memsw.limit_in_bytes', String(memoryBytes ?? -1), 'if there'],
    ],
    cpu: [
      ['cpu.cfs_period_us', String(CPU_PERIOD_US)],
      ['cpu.cfs_quota_us', String(cpus === undefined ? -1 : Math.round(cpus * CPU_PERIOD_US))],
    ],
    pids: [['pids.max', String(pids ?? 'max')]],
  }
}

type Groups = Partial<Record<Limit, string>>

function findV2({ root, own, hive }: CgroupPlace, container: string): Groups {
  const parent = findWritable(root, own)
  return parent ? Object.fromEntries(LIMITS.map((limit) => [limit, join(parent, hive, container)])) : {}
}

/** v2 only: the two cgroups above a container's have to pass the controller on. */
const tryEnable = (directory: string, limit: Limit): boolean =>
  [dirname(dirname(directory)), dirname(directory)].every((above) =>
    tryWrite(join(above, 'cgroup.subtree_control'), `+${limit}`),
  )

/** The highest cgroup above our own that is ours to divide: the root for root, else what was delegated to us. */
function findWritable(root: string, own: string): string | undefined {
  let highest: string | undefined
  for (let path = own; ; path = dirname(path)) {
    if (isWritable(join(root, path, 'cgroup.procs'))) highest = join(root, path)
    else if (highest) return highest
    if (path === '/') return highest
  }
}

function findV1({ root, hive }: CgroupPlace, container: string): Groups {
  const mounted = LIMITS.filter((limit) => existsSync(join(root, limit)))
  return Object.fromEntries(mounted.map((limit) => [limit, join(root, limit, hive, container)]))
}

// This host may not let us: an ordinary user without a delegated cgroup, a controller that is switched off.
// What could be had is what `make` gives, and the caller says so.

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

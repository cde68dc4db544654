import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CONFIG_MOUNT } from '../wire/agent-config.ts'
import { HiveError } from '../wire/errors.ts'
import { MANAGER } from '../wire/names.ts'

/** Uids of agents begin here when the daemon is root; an agent keeps its slot until it is purged. */
export const FIRST_AGENT_UID = 1_900_000_000
/** The gateway's uid, below the agents'. */
export const GATEWAY_UID = FIRST_AGENT_UID - 1

/** Every path of a hive, from the two directories it lives in. */
export function createLayout({ stateDir, runDir }: { stateDir: string; runDir: string }) {
  return {
    stateDir,
    runDir,
    database: join(stateDir, 'hive.sqlite'),
    eventDatabase: join(stateDir, 'events.sqlite'),
    apps: join(stateDir, 'app'),
    containers: join(stateDir, 'containers'),
    agents: join(stateDir, 'agents'),
    proposed: join(stateDir, 'proposed'),
    applied: join(stateDir, 'applied'),
    meta: join(stateDir, 'meta'),
    deployments: join(stateDir, 'deployments'),
    credentials: join(stateDir, 'credentials'),
    hostSocket: join(runDir, 'host.sock'),
    webToken: join(stateDir, 'web-token'),
    gateway: {
      directory: join(stateDir, 'gateway'),
      control: join(runDir, 'gateway.sock'),
      config: join(stateDir, 'gateway', 'config.json'),
      log: join(stateDir, 'gateway', 'requests'),
    },
    agent: (name: string) => ({
      state: join(stateDir, 'agents', name, 'state'),
      home: join(stateDir, 'agents', name),
      credentials: join(stateDir, 'credentials', name),
      proposed: join(stateDir, 'proposed', name),
      run: join(runDir, 'agents', name),
      socket: join(runDir, 'agents', name, 'mcp.sock'),
      egress: join(runDir, 'egress', name),
      egressSocket: join(runDir, 'egress', name, 'egress.sock'),
    }),
  }
}
export type Layout = ReturnType<typeof createLayout>

/** The uid that an agent has on the host; undefined when the daemon is an ordinary user and has no other to give. */
export const agentUid = (slot: number, daemonUid: number): number | undefined =>
  daemonUid === 0 ? FIRST_AGENT_UID + slot : undefined

interface Directory {
  readonly path: string
  readonly mode: number
  /** The daemon's own unless given. */
  readonly uid?: number
  readonly gid?: number
}

/**
 * The directories every hive has, whoever lives in it. Throws `bad_input` when the operator named a directory for state or
 * sockets that is somebody else's: its mode is changed, and files appear in it.
 */
export function makeHiveDirectories(layout: Layout, daemonUid: number, home = process.env.HOME): void {
  const { stateDir, runDir } = layout
  if (stateDir === runDir) {
    throw new HiveError('bad_input', `${stateDir} cannot hold both state and sockets`, {
      hint: 'choose another --run-dir',
    })
  }
  assertUsable(stateDir, {
    option: '--state-dir',
    own: [...STATE_ENTRIES, ...within(stateDir, runDir)],
    daemonUid,
    home,
  })
  assertUsable(runDir, { option: '--run-dir', own: [...RUN_ENTRIES, ...within(runDir, stateDir)], daemonUid, home })
  const managerUid = agentUid(0, daemonUid)
  makeDirectories(daemonUid, [
    { path: layout.stateDir, mode: 0o711 },
    { path: layout.runDir, mode: 0o711 },
    { path: layout.apps, mode: 0o711 },
    { path: layout.containers, mode: 0o711 },
    { path: layout.agents, mode: 0o711 },
    { path: layout.credentials, mode: 0o711 },
    { path: layout.applied, mode: 0o755 },
    { path: layout.meta, mode: 0o755 },
    { path: layout.deployments, mode: 0o711 },
    { path: layout.proposed, mode: 0o700, uid: managerUid, gid: managerUid },
    { path: layout.gateway.directory, mode: 0o700, uid: daemonUid === 0 ? GATEWAY_UID : undefined },
    { path: join(layout.runDir, 'agents'), mode: 0o711 },
    { path: join(layout.runDir, 'egress'), mode: 0o711 },
  ])
}

/**
 * The directories of one agent. Its state and login are its own, its notes readable for the manager. Those of its sockets
 * are not: root makes and removes files there, which must not follow what an agent put in their place.
 */
export function makeAgentDirectories(layout: Layout, name: string, slot: number, daemonUid: number): void {
  const paths = layout.agent(name)
  const uid = agentUid(slot, daemonUid)
  const gateway = daemonUid === 0 ? GATEWAY_UID : undefined
  const config = join(paths.home, 'config')
  // Sockets get the agent's group from their directory. An ordinary user's group may hold others, so it is not let in.
  const socketMode = daemonUid === 0 ? 0o2750 : 0o700
  makeDirectories(daemonUid, [
    { path: paths.home, mode: 0o711 },
    { path: paths.state, mode: 0o2750, uid, gid: agentUid(0, daemonUid) },
    { path: paths.credentials, mode: 0o700, uid, gid: uid },
    { path: paths.run, mode: socketMode, gid: uid },
    { path: paths.egress, mode: socketMode, uid: gateway, gid: uid },
  ])
  // The daemon's own directory. In the manager it leads from /agents/<name>/config to /proposed/<name>.
  if (!lstatSync(config, { throwIfNoEntry: false })) symlinkSync(join('../../proposed', name), config)
}

/** What the manager sees of the others, besides its own. */
export const managerMounts = (layout: Layout) => [
  { host: layout.agents, guest: '/agents', readOnly: true },
  { host: layout.applied, guest: '/applied', readOnly: true },
  { host: layout.meta, guest: '/meta', readOnly: true },
  { host: layout.proposed, guest: '/proposed', readOnly: false },
]

/** What every agent sees; `configDir` holds the files of its configuration. */
export function agentMounts(
  layout: Layout,
  name: string,
  { appDir, configDir }: { appDir: string; configDir: string },
) {
  const paths = layout.agent(name)
  return [
    { host: appDir, guest: '/opt/hive', readOnly: true },
    { host: paths.run, guest: '/run/hive', readOnly: true },
    { host: paths.egress, guest: '/run/egress', readOnly: true },
    { host: paths.credentials, guest: '/root/.claude', readOnly: false },
    { host: paths.state, guest: '/state', readOnly: false },
    { host: configDir, guest: CONFIG_MOUNT, readOnly: true },
    ...(name === MANAGER ? managerMounts(layout) : []),
  ]
}

/** What a hive that was only begun may hold; one that is complete has one of the marks. */
const STATE_ENTRIES = [
  'app',
  'containers',
  'agents',
  'credentials',
  'applied',
  'meta',
  'deployments',
  'proposed',
  'gateway',
]
const RUN_ENTRIES = ['agents', 'egress', 'gateway.sock']
const HIVE_MARKS = ['hive.sqlite', 'host.sock', 'egress']

/** The entry of `directory` below which `path` is, if it is below it. */
const within = (directory: string, path: string): string[] =>
  path.startsWith(`${directory}/`) ? [path.slice(directory.length + 1).split('/')[0] as string] : []

interface Usable {
  readonly option: string
  readonly own: readonly string[]
  readonly daemonUid: number
  readonly home: string | undefined
}

function assertUsable(path: string, { option, own, daemonUid, home }: Usable): void {
  const refuse = (why: string): never => {
    throw new HiveError('bad_input', `${path} ${why}`, { hint: `choose a new or an empty directory with ${option}` })
  }
  if (!existsSync(path)) return
  const real = realpathSync(path)
  if (real === '/') refuse('is no place for a hive')
  if (home && existsSync(home) && realpathSync(home) === real) refuse('is a home: no place for a hive')
  const { mode, uid } = statSync(path)
  if ((mode & 0o1002) === 0o1002) refuse('is everybody’s, like /tmp')
  if (uid !== daemonUid) refuse(`belongs to uid ${uid}, not to ${daemonUid} as which the daemon runs`)
  const entries = readdirSync(path)
  if (HIVE_MARKS.some((mark) => entries.includes(mark)) || entries.every((entry) => own.includes(entry))) return
  refuse('is not empty and holds no hive')
}

function makeDirectories(daemonUid: number, directories: readonly Directory[]): void {
  for (const { path, mode, uid, gid } of directories) {
    makePassable(path)
    // What another owns it may have changed as it likes. One meant for another that is still the daemon's was never finished.
    if (uid !== undefined && lstatSync(path).uid !== daemonUid) continue
    if (uid !== undefined || gid !== undefined) chownSync(path, uid ?? daemonUid, gid ?? (uid as number))
    chmodSync(path, mode)
  }
}

/** Makes a directory and what is missing above it, so that agents can pass whatever the umask is. */
function makePassable(path: string): void {
  if (existsSync(path)) return
  makePassable(dirname(path))
  mkdirSync(path)
  chmodSync(path, 0o755)
}

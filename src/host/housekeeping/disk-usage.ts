import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../kit/run.ts'
import { HiveError } from '../../wire/errors.ts'
import { containerName } from '../../wire/names.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { EventStore } from '../events/event-store.ts'
import { HOST_PATH } from '../host-path.ts'
import { agentUid, type Layout } from '../layout.ts'

export interface Usage {
  readonly paths: readonly string[]
  /** Whose they are; undefined: the daemon's own user, or the daemon is no root. */
  readonly uid?: number
  /** It takes no longer. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** May look into every directory, and nothing else; `du` opens no file and follows no link. */
const LOOK_ONLY = ['--inh-caps', '--ambient-caps', '--bounding-set'].map((set) => `${set}=-all,+dac_read_search`)

/**
 * Bytes that some directories take on the disk, what is mounted in them aside; undefined when that could not be counted in
 * time. An agent may change them meanwhile: whoever looks is the agent's uid, and hidden directories count too.
 */
export async function measureUsage({ paths, uid, timeoutMs, signal }: Usage): Promise<number | undefined> {
  const present = paths.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
  if (present.length === 0) return 0
  const as = [
    'setpriv',
    '--reuid',
    `${uid}`,
    '--regid',
    `${uid}`,
    '--clear-groups',
    '--no-new-privs',
    ...LOOK_ONLY,
    '--',
  ]
  const du = ['du', '--summarize', '--one-file-system', '--block-size=1', '--', ...present]
  try {
    const argv = [...(uid === undefined ? [] : as), ...du] as [string, ...string[]]
    const { stdout } = await run(argv, { timeoutMs, signal, env: { PATH: HOST_PATH } })
    // What vanishes meanwhile is a complaint and an exit code, and no reason to know nothing.
    const sums = stdout.split('\n').flatMap((line) => /^(\d+)\t/.exec(line)?.[1] ?? [])
    return sums.length === 0 ? undefined : sums.reduce((sum, bytes) => sum + Number(bytes), 0)
  } catch (error) {
    if (error instanceof HiveError && ['timeout', 'cancelled'].includes(error.code)) return undefined
    throw error
  }
}

export interface AgentUsage {
  readonly agent: string
  readonly registry: Pick<AgentRegistry, 'get'>
  readonly layout: Layout
  readonly events: Pick<EventStore, 'bytesOf'>
  readonly daemonUid: number
  readonly signal: AbortSignal
}

const AGENT_MS = 20_000

/** Bytes that an agent takes: its state and login, the logs of its container, and its events since the daemon started. */
export async function measureAgent({ agent, registry, layout, events, daemonUid, signal }: AgentUsage) {
  const uid = agentUid(registry.get(agent).slot, daemonUid)
  const { state, credentials } = layout.agent(agent)
  const logs = join(layout.containers, containerName(agent))
  const bytes = await measureUsage({ paths: [state, credentials, logs], uid, timeoutMs: AGENT_MS, signal })
  return bytes === undefined ? undefined : bytes + events.bytesOf(agent)
}

import { dirname } from 'node:path'
import type { hostOps } from '../../wire/host-ops.ts'
import type { LogUnit } from '../../wire/housekeeping.ts'
import { containerName, OPERATOR } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { AuditLog } from '../audit-log.ts'
import { companionLog } from '../companion.ts'
import { readLogs } from '../containers/bubblewrap/log-reader.ts'
import type { ContainerRuntime, LogLine } from '../containers/runtime.ts'
import type { Backup } from '../housekeeping/backup.ts'
import type { Tombstones } from '../housekeeping/tombstones.ts'
import type { Sinks } from '../sinks/sinks.ts'

export interface HousekeepingDeps {
  readonly registry: AgentRegistry
  readonly runtime: Pick<ContainerRuntime, 'logs'>
  readonly audit: AuditLog
  readonly stateDir: string
  readonly tombstones: Tombstones
  readonly backup: Backup
  readonly sinks: Sinks
}

/** Of the lines of one stream in a reply: characters of JSON, in which one of theirs may take six. */
const MAX_STREAM_CHARACTERS = 1024 * 1024

type HousekeepingOps = 'logs' | 'tombstones' | 'revive' | 'purge' | 'backup' | 'notify_test'

/** Logs, what is left of destroyed agents, backup, and a test of the sinks. */
export function housekeepingHandlers(deps: HousekeepingDeps): Pick<Handlers<typeof hostOps>, HousekeepingOps> {
  const { registry, runtime, audit, stateDir, tombstones, backup, sinks } = deps
  const noted = (verb: string, agent?: string, detail?: Record<string, unknown>) =>
    audit.note({ actor: OPERATOR, verb, agent, detail })

  /** An agent that has the name of a companion is meant itself. */
  const logOf = (unit: LogUnit, tail: number) => {
    if ((unit !== 'gateway' && unit !== 'model') || registry.has(unit)) {
      registry.get(unit)
      return runtime.logs(containerName(unit), { tail })
    }
    const file = companionLog(stateDir, unit)
    return readLogs({ path: dirname(file), files: { stdout: file } }, { tail })
  }

  return {
    logs: async ({ unit, lines }) => ({ lines: newest(await Array.fromAsync(logOf(unit, lines))) }),

    tombstones: async () => ({ tombstones: await tombstones.list() }),
    async revive({ name }) {
      await tombstones.revive(name)
      await noted('revive', name)
      return {}
    },
    async purge({ name, confirm }) {
      await tombstones.purge(name, confirm)
      await noted('purge', name)
      return {}
    },

    async backup({ directory }) {
      const written = await backup.write(directory)
      await noted('backup', undefined, written)
      return written
    },

    notify_test: async (_, { signal }) => ({ sinks: await sinks.test(signal) }),
  }
}

/** The newest lines of each stream that a reply has room for. */
function newest(lines: readonly LogLine[]): LogLine[] {
  const room = { stdout: MAX_STREAM_CHARACTERS, stderr: MAX_STREAM_CHARACTERS }
  const kept = lines.toReversed().filter((line) => {
    room[line.stream] -= JSON.stringify(line).length
    return room[line.stream] >= 0
  })
  return kept.reverse()
}

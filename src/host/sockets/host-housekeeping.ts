import type { hostOps } from '../../wire/host-ops.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { AuditLog } from '../audit-log.ts'
import type { Backup } from '../housekeeping/backup.ts'
import type { Tombstones } from '../housekeeping/tombstones.ts'
import { readUnitLog, type UnitLogDeps } from '../housekeeping/unit-log.ts'
import type { Sinks } from '../sinks/sinks.ts'

export interface HousekeepingDeps extends UnitLogDeps {
  readonly audit: AuditLog
  readonly tombstones: Tombstones
  readonly backup: Backup
  readonly sinks: Sinks
}

type HousekeepingOps = 'logs' | 'tombstones' | 'revive' | 'purge' | 'backup' | 'notify_test'

/** Logs, what is left of destroyed agents, backup, and a test of the sinks. */
export function housekeepingHandlers(deps: HousekeepingDeps): Pick<Handlers<typeof hostOps>, HousekeepingOps> {
  const { audit, tombstones, backup, sinks } = deps
  const noted = (verb: string, agent?: string, detail?: Record<string, unknown>) =>
    audit.note({ actor: OPERATOR, verb, agent, detail })

  return {
    logs: async ({ unit, lines }) => ({ lines: await readUnitLog(deps, unit, lines) }),

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

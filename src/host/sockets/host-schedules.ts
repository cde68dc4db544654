import type { hostOps } from '../../wire/host-ops.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { AuditLog } from '../audit-log.ts'
import type { Reminders } from '../schedules/reminders.ts'
import type { Schedules } from '../schedules/schedules.ts'

export interface HostScheduleDeps {
  readonly registry: Pick<AgentRegistry, 'get'>
  readonly schedules: Pick<Schedules, 'list'>
  readonly reminders: Pick<Reminders, 'list' | 'cancel'>
  readonly audit: Pick<AuditLog, 'note'>
}

/** What the operator's socket answers about schedules and reminders. */
export function hostScheduleHandlers({
  registry,
  schedules,
  reminders,
  audit,
}: HostScheduleDeps): Pick<Handlers<typeof hostOps>, 'schedules' | 'reminders' | 'cancel_reminder'> {
  const assertExists = (agent: string | undefined) => {
    if (agent !== undefined) registry.get(agent)
  }
  return {
    schedules(filter) {
      assertExists(filter.agent)
      return { schedules: schedules.list(filter) }
    },
    reminders(filter) {
      assertExists(filter.agent)
      return reminders.list(filter)
    },
    async cancel_reminder({ id }) {
      const agent = await reminders.cancel(id)
      await audit.note({ actor: OPERATOR, verb: 'cancel_reminder', agent, detail: { id } })
      return {}
    },
  }
}

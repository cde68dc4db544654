import type { hostOps } from '../../wire/host-ops.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Lifecycle } from '../actions/lifecycle.ts'
import type { AuditLog } from '../audit-log.ts'

export interface SupervisionDeps {
  readonly lifecycle: Lifecycle
  readonly audit: AuditLog
}

type SupervisionHandlers = Pick<Handlers<typeof hostOps>, 'pause' | 'resume' | 'stop_all' | 'resume_all'>

/** Holding agents back, and letting them go on. */
export function supervisionHandlers({ lifecycle, audit }: SupervisionDeps): SupervisionHandlers {
  const actor = OPERATOR
  return {
    async pause({ agent, now, reason }) {
      await lifecycle.pause(agent, { now, reason })
      await audit.note({ actor, verb: 'pause', agent, detail: { now, reason } })
      return {}
    },
    async resume({ agent }) {
      await lifecycle.resume(agent)
      await audit.note({ actor, verb: 'resume', agent })
      return {}
    },
    async stop_all({ reason }) {
      const interrupted = await lifecycle.stopAll(reason)
      await audit.note({ actor, verb: 'stop_all', detail: { reason, interrupted } })
      return { interrupted }
    },
    async resume_all() {
      await lifecycle.resumeAll()
      await audit.note({ actor, verb: 'resume_all' })
      return {}
    },
  }
}

import type { hostOps } from '../../wire/host-ops.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Rebuild } from '../actions/rebuild.ts'

export interface RebuildDeps {
  readonly rebuild: Pick<Rebuild, 'rebuild'>
}

/** What the operator's socket answers about putting agents on what is current. */
export const rebuildHandlers = ({ rebuild }: RebuildDeps): Pick<Handlers<typeof hostOps>, 'rebuild'> => ({
  async rebuild({ agent, now }) {
    await rebuild.rebuild(agent, { now, by: OPERATOR })
    return {}
  },
})

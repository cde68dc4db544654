import type { hostOps } from '../../wire/host-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import { type PatternProposalDeps, proposePattern } from '../permissions/pattern-proposal.ts'
import type { Permissions } from '../permissions/permissions.ts'

export interface HostPermissionDeps extends PatternProposalDeps {
  readonly permissions: Pick<Permissions, 'get' | 'list' | 'permit' | 'refuse'>
}

/** What the operator's socket answers about what agents ask to be permitted. */
export const hostPermissionHandlers = (
  deps: HostPermissionDeps,
): Pick<Handlers<typeof hostOps>, 'permission' | 'permissions' | 'permit' | 'refuse' | 'propose_permission'> => ({
  permission: ({ id }) => ({ permission: deps.permissions.get(id) }),
  permissions: (filter) => deps.permissions.list(filter),
  async permit({ id }) {
    return { permission: await deps.permissions.permit(id) }
  },
  async refuse({ id, message }) {
    return { permission: await deps.permissions.refuse(id, message) }
  },
  async propose_permission(input) {
    return { approval: await proposePattern(deps, input) }
  },
})

import type { agentOps } from '../../wire/agent-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import type { HarnessLink } from '../agents/harness-link.ts'
import type { Permissions } from '../permissions/permissions.ts'

export interface AgentPermissionDeps {
  readonly permissions: Pick<Permissions, 'ask' | 'withdraw'>
}

/** What the socket of an agent answers to its harness, which asks for what its engine may not do by itself. */
export const agentPermissionHandlers = (
  { permissions }: AgentPermissionDeps,
  { agent, link }: { agent: string; link: Pick<HarnessLink, 'assertEpoch'> },
): Pick<Handlers<typeof agentOps>, 'ask_permission' | 'withdraw_permission'> => ({
  async ask_permission({ epoch, request, tool, input, description, wait_seconds }, call) {
    link.assertEpoch(call, epoch)
    const wait = { waitMs: wait_seconds * 1000, signal: call.signal }
    return permissions.ask({ agent, epoch, request }, { tool, input, description }, wait)
  },
  async withdraw_permission({ epoch, request }, call) {
    link.assertEpoch(call, epoch)
    await permissions.withdraw({ agent, epoch, request })
    return {}
  },
})

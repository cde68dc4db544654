import type { managerOps } from '../../wire/agent-ops.ts'
import { HiveError } from '../../wire/errors.ts'
import { MANAGER } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Lifecycle } from '../actions/lifecycle.ts'
import { readNotes } from '../actions/read-notes.ts'
import type { Rebuild } from '../actions/rebuild.ts'
import type { Approvals } from '../approvals/approvals.ts'
import type { AuditLog } from '../audit-log.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { type AgentSocketDeps, agentHandlers } from './agent-socket.ts'

export interface ManagerSocketDeps extends AgentSocketDeps {
  readonly lifecycle: Lifecycle
  readonly rebuild: Pick<Rebuild, 'rebuild'>
  readonly approvals: Approvals
  readonly audit: AuditLog
  readonly runtime: ContainerRuntime
}

/** What the manager's socket answers: what every agent's does, and the lifecycle of the others. */
export function managerHandlers(deps: ManagerSocketDeps): Handlers<typeof managerOps> {
  const { lifecycle, rebuild, registry, runtime, approvals, audit } = deps
  const requester = MANAGER
  const noted = (verb: string, agent: string) => audit.note({ actor: requester, verb, agent })
  return {
    ...agentHandlers(deps, MANAGER),
    async kill({ name }) {
      await lifecycle.kill(name, { now: false })
      await noted('kill', name)
      return {}
    },
    async start({ name }) {
      await lifecycle.start(name, { by: requester })
      await noted('start', name)
      return {}
    },
    async restart({ name }) {
      await lifecycle.restart(name, { now: false, by: requester })
      await noted('restart', name)
      return {}
    },
    async update({ name }) {
      await rebuild.rebuild(name, { now: false, by: requester })
      return {}
    },
    async request_spawn({ name, reason }) {
      const { id } = await approvals.requestSpawn({ agent: name, requester, description: reason })
      return { id }
    },
    async request_init_config({ name, reason }) {
      const { id } = await approvals.requestInitConfig({ agent: name, requester, description: reason })
      return { id }
    },
    async request_apply_commit({ agent, sha, pack, description }) {
      const { id, base } = await approvals.requestApplyCommit({
        agent,
        sha,
        pack: Buffer.from(pack, 'base64'),
        requester,
        description,
      })
      return { id, sha, base: base as string }
    },
    async cancel_approval({ id }) {
      await approvals.cancel(id, requester)
      return {}
    },
    async notes({ agent, path }) {
      if (agent === MANAGER)
        throw new HiveError('bad_input', 'your own notes are in /state', { hint: 'read them with Read' })
      registry.get(agent)
      return { text: await readNotes(runtime, agent, path) }
    },
  }
}

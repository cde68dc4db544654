import type { managerOps } from '../../wire/agent-ops.ts'
import { HiveError } from '../../wire/errors.ts'
import { MANAGER } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Lifecycle } from '../actions/lifecycle.ts'
import { readNotes } from '../actions/read-notes.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { type AgentSocketDeps, agentHandlers } from './agent-socket.ts'

export interface ManagerSocketDeps extends AgentSocketDeps {
  readonly lifecycle: Lifecycle
  readonly runtime: ContainerRuntime
}

/** What the manager's socket answers: what every agent's does, and the lifecycle of the others. */
export function managerHandlers(deps: ManagerSocketDeps): Handlers<typeof managerOps> {
  const { lifecycle, registry, runtime } = deps
  return {
    ...agentHandlers(deps, MANAGER),
    async kill({ name }) {
      await lifecycle.kill(name, { now: false })
      return {}
    },
    async start({ name }) {
      await lifecycle.start(name)
      return {}
    },
    async restart({ name }) {
      await lifecycle.restart(name, { now: false })
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

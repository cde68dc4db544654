import type { HiveState } from '../../wire/hive-state.ts'
import { MANAGER } from '../../wire/names.ts'
import type { Agent, Message } from '../../wire/things.ts'

/** States in which no container of an agent is there. */
const DOWN: ReadonlySet<Agent['state']> = new Set(['stopped', 'offline', 'failed'])

/**
 * What `/api/state` of the original hyperhive said under the same names, for scripts that read it; beside it stands what the
 * dashboard itself reads.
 */
export function originalState({ agents, needs }: HiveState, hostname: string) {
  return {
    hostname,
    containers: agents.map((agent) => ({
      name: agent.name,
      container: agent.container,
      is_manager: agent.name === MANAGER,
      port: agent.port,
      running: !DOWN.has(agent.state),
      needs_login: agent.state === 'needs_login',
      needs_update: agent.needsUpdate,
      pending: agent.operation?.verb ?? null,
    })),
    any_stale: agents.some(({ needsUpdate }) => needsUpdate),
    questions: needs.flatMap((need) => (need.kind === 'question' ? [need.question] : [])),
    port_conflicts: agents.flatMap(({ name, port, portTakenBy }) =>
      portTakenBy === null ? [] : [{ port, agents: [portTakenBy, name] }],
    ),
  }
}

/** The same for `/api/state` on the port of an agent. `inbox`: what waits for it. */
export function originalAgentState(agent: Agent, inbox: readonly Message[], dashboardPort: number) {
  const { name, state, stateSince, model } = agent
  return {
    label: name,
    status: state === 'needs_login' ? 'needs_login_idle' : DOWN.has(state) ? 'offline' : 'online',
    turn_state: turnStateOf(state),
    /** Unix seconds, as there. */
    turn_state_since: Math.floor(stateSince / 1000),
    model,
    inbox: inbox.map(({ id, from, body, sentAt }) => ({ id, from, body, at: Math.floor(sentAt / 1000) })),
    dashboard_port: dashboardPort,
    agent,
  }
}

function turnStateOf(state: Agent['state']): string {
  if (DOWN.has(state)) return 'offline'
  return state === 'thinking' || state === 'compacting' ? state : 'idle'
}

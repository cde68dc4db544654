import type { Agent, AgentState, Need } from '../../wire/things.ts'

/** States by how much they ask to be looked at. */
const RANKS: readonly (readonly AgentState[])[] = [
  ['thinking', 'compacting', 'asking'],
  ['waiting', 'starting'],
  ['idle', 'parked', 'paused', 'needs_login', 'failed'],
  ['offline', 'stopped'],
]

/** The manager first, then who needs the operator, then who works, is idle, is off; each by name. */
export function orderAgents(agents: readonly Agent[], needs: readonly Need[]): readonly Agent[] {
  const waiting = new Set(needs.flatMap(agentOfNeed))
  const rank = ({ name, role, state }: Agent): number => {
    if (role === 'manager') return -2
    if (waiting.has(name)) return -1
    return RANKS.findIndex((states) => states.includes(state))
  }
  return agents.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
}

/** The agents as they stood before, new ones at the end: nothing moves away from under a pointer. */
export function keepOrder(agents: readonly Agent[], before: readonly string[]): readonly Agent[] {
  const place = new Map(before.map((name, index) => [name, index]))
  return agents.toSorted((a, b) => (place.get(a.name) ?? before.length) - (place.get(b.name) ?? before.length))
}

/** Whose work waits for the operator. */
function agentOfNeed(need: Need): string[] {
  switch (need.kind) {
    case 'approval':
      return [need.approval.agent]
    case 'question':
      return [need.question.asker]
    case 'permission':
      return [need.permission.agent]
    case 'dead_letter':
      return [need.message.to]
    case 'paused_chain':
      return need.agents
    case 'stopped':
    case 'low_disk':
    case 'undecodable':
      return []
    default:
      return [need.agent]
  }
}

import { agentPort, containerName, roleOf } from '../../wire/names.ts'
import type { Agent, AgentState } from '../../wire/things.ts'
import type { Broker } from '../broker/broker.ts'
import type { HarnessLink } from './harness-link.ts'
import type { AgentRow } from './registry.ts'

export interface AgentFacts {
  readonly row: AgentRow
  readonly link: HarnessLink
  readonly broker: Broker
  /** Why it was given up, when its container keeps ending. */
  readonly failure: string | null
  readonly defaultModel: string
  readonly revision: string
  readonly others: readonly string[]
}

/** What the operator sees of an agent: derived from what is stored and from what its harness last said. */
export function viewAgent(facts: AgentFacts): Agent {
  const { row, link, broker, failure, others } = facts
  const { name } = row
  const { store } = broker
  const state = stateOf(facts)
  const live = link.live
  const holds = store.holds(name)
  const port = agentPort(name)
  return {
    name,
    role: roleOf(name),
    container: containerName(name),
    state,
    stateSince: link.changedAt,
    desired: row.desired,
    turn: holds ? { messages: store.heldIds(name), since: link.changedAt } : null,
    model: row.model ?? facts.defaultModel,
    unread: store.pending(name),
    port,
    portTakenBy: others.find((other) => other !== name && agentPort(other) === port) ?? null,
    needsUpdate: live !== undefined && live.revision !== facts.revision,
    parked: store.parked(name),
    detail: failure ?? (live?.ready?.claude === 'error' ? live.ready.detail : null),
    lastTurn: link.lastTurn
      ? { ...link.lastTurn.end, at: link.lastTurn.at, usage: link.lastTurn.end.usage ?? null }
      : null,
  }
}

function stateOf({ row, link, broker, failure }: AgentFacts): AgentState {
  const { store } = broker
  const parked = store.parked(row.name)
  const live = link.live
  if (row.desired === 'stopped' && !live) return 'stopped'
  if (failure !== null) return 'failed'
  if (!live) return 'offline'
  if (store.holds(row.name)) return live.brain === 'compacting' ? 'compacting' : 'thinking'
  if (parked?.reason === 'login' || live.ready?.claude === 'needs_login') return 'needs_login'
  if (parked) return 'parked'
  if (!live.ready) return 'starting'
  if (live.brain === 'compacting') return 'compacting'
  return store.queued(row.name) > 0 ? 'waiting' : 'idle'
}

import type { Clock } from '../../kit/clock.ts'
import { agentPort, containerName, roleOf } from '../../wire/names.ts'
import type { Operation } from '../../wire/supervision.ts'
import type { Agent, AgentState } from '../../wire/things.ts'
import type { Broker } from '../broker/broker.ts'
import type { Accounts } from '../money/accounts.ts'
import type { Deployments } from './deployments.ts'
import type { HarnessLink } from './harness-link.ts'
import type { Holds } from './holds.ts'
import type { Programs } from './programs.ts'
import type { AgentRegistry, AgentRow } from './registry.ts'
import type { Failure, Supervisor } from './supervisor.ts'

export interface AgentViewsOptions {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly supervisor: Pick<Supervisor, 'link' | 'failure'>
  readonly deployments: Pick<Deployments, 'find' | 'deployed'>
  readonly accounts: Pick<Accounts, 'of'>
  readonly holds: Pick<Holds, 'isHeld'>
  /** What is being done to an agent at the moment. */
  readonly operation: (agent: string) => Operation | null
  /** Whether its turn waits for a permission. */
  readonly isAsking: (agent: string) => boolean
  readonly programs: Pick<Programs, 'isStale' | 'current'>
  readonly defaultModel: string
  readonly now: Clock
  /** The state of an agent has changed. */
  readonly onChange?: () => void
}

/** How exactly is known when an agent came into the state that it is in. */
const LOOK_MS = 1_000

/** What the operator sees of agents: derived from what is stored and from what their harnesses last said. */
export class AgentViews implements Disposable {
  readonly #options: AgentViewsOptions
  readonly #states = new Map<string, { state: AgentState; since: number }>()
  readonly #openedAt: number
  readonly #timer: NodeJS.Timeout

  constructor(options: AgentViewsOptions) {
    this.#options = options
    this.#openedAt = options.now()
    // A state is derived, so nobody tells when it changes.
    this.#timer = setInterval(() => this.#noteStates(), LOOK_MS)
  }

  #noteStates(): void {
    const { registry } = this.#options
    for (const row of registry.list()) this.#since(row.name, stateOf(this.#factsOf(row)))
    for (const name of this.#states.keys()) if (!registry.find(name)) this.#states.delete(name)
  }

  all(): Agent[] {
    const rows = this.#options.registry.list()
    const byPort = Map.groupBy(rows, ({ name }) => agentPort(name))
    return rows.map((row) => this.#view(row, byPort.get(agentPort(row.name)) ?? []))
  }

  /** Throws `not_found`. */
  get(name: string): Agent {
    const { registry } = this.#options
    const sharing = registry.list().filter((other) => agentPort(other.name) === agentPort(name))
    return this.#view(registry.get(name), sharing)
  }

  /** `sharing`: agents with the same port by hash, itself among them; the oldest has it. */
  #view(row: AgentRow, sharing: readonly AgentRow[]): Agent {
    const { broker, deployments, accounts, programs, defaultModel } = this.#options
    const { name } = row
    const facts = this.#factsOf(row)
    const { link, failure } = facts
    const { store } = broker
    const state = stateOf(facts)
    const live = link.live
    return {
      name,
      role: roleOf(name),
      container: containerName(name),
      state,
      stateSince: this.#since(name, state),
      desired: row.desired,
      turn: store.holds(name)
        ? {
            messages: store.heldIds(name),
            since: link.turnSince ?? this.#openedAt,
          }
        : null,
      model: row.model ?? deployments.find(name)?.config.model ?? defaultModel,
      sha: deployments.deployed(name)?.sha ?? null,
      unread: store.pending(name),
      port: agentPort(name),
      portTakenBy: sharing[0] && sharing[0].name !== name ? sharing[0].name : null,
      needsUpdate: programs.isStale(name) || (live !== undefined && live.revision !== programs.current.revision),
      parked: store.parked(name),
      paused: row.paused,
      operation: this.#options.operation(name),
      account: accounts.of(name),
      detail: failure?.detail ?? (live?.ready && live.ready.claude !== 'ok' ? live.ready.detail : null),
      lastTurn: link.lastTurn
        ? { ...link.lastTurn.end, at: link.lastTurn.at, usage: link.lastTurn.end.usage ?? null }
        : null,
    }
  }

  #factsOf(row: AgentRow): AgentFacts {
    const { broker, supervisor, holds } = this.#options
    const { name } = row
    return {
      row,
      broker,
      isHeld: holds.isHeld(name),
      isAsking: this.#options.isAsking(name),
      link: supervisor.link(name),
      failure: supervisor.failure(name),
    }
  }

  #since(name: string, state: AgentState): number {
    const known = this.#states.get(name)
    if (known?.state === state) return known.since
    const since = this.#options.now()
    this.#states.set(name, { state, since })
    if (known) this.#options.onChange?.()
    return since
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

interface AgentFacts {
  readonly row: AgentRow
  readonly link: HarnessLink
  readonly broker: Broker
  /** It is paused, or everybody is. */
  readonly isHeld: boolean
  /** Why its container does not run. */
  readonly failure: Failure | null
  readonly isAsking: boolean
}

function stateOf({ row, link, broker, isHeld, isAsking, failure }: AgentFacts): AgentState {
  const { store } = broker
  const parked = store.parked(row.name)
  const live = link.live
  if (row.desired === 'stopped' && !live) return 'stopped'
  if (failure?.isFinal) return 'failed'
  if (!live) return 'offline'
  if (store.holds(row.name) && isAsking) return 'asking'
  if (store.holds(row.name)) return live.brain === 'compacting' ? 'compacting' : 'thinking'
  if (parked?.reason === 'login' || live.ready?.claude === 'needs_login') return 'needs_login'
  if (isHeld) return 'paused'
  if (parked) return 'parked'
  if (!live.ready) return 'starting'
  if (live.brain === 'compacting') return 'compacting'
  return store.queued(row.name) > 0 ? 'waiting' : 'idle'
}

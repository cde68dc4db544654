import { z } from 'zod'
import { Approval } from './approvals.ts'
import { hostOps } from './host-ops.ts'
import { MANAGER } from './names.ts'
import { Agent, Need } from './things.ts'

const Status = hostOps.status.output

/** What the dashboard shows of a hive at one moment. */
export const HiveState = z.object({
  /** Grows with every change, over restarts of the daemon too. */
  seq: z.number().int(),
  status: Status.omit({ agents: true, errors: true }),
  errors: Status.shape.errors,
  /** The manager first, then by name. */
  agents: z.array(Agent),
  /** Oldest first. */
  needs: z.array(Need),
  /** Those that wait for a decision or are being deployed, by id. */
  approvals: z.array(Approval),
})
export type HiveState = z.infer<typeof HiveState>

const key = z.string()
/** One thing as it is now; null: it is no longer there. */
export const StateChange = z.discriminatedUnion('of', [
  z.object({ of: z.literal('status'), value: HiveState.shape.status }),
  z.object({ of: z.literal('errors'), value: HiveState.shape.errors }),
  z.object({ of: z.literal('agents'), key, value: Agent.nullable() }),
  z.object({ of: z.literal('needs'), key, value: Need.nullable() }),
  z.object({ of: z.literal('approvals'), key, value: Approval.nullable() }),
])
export type StateChange = z.infer<typeof StateChange>

/** What changed between two states. */
export const StateDelta = z.object({
  after: z.number().int(),
  seq: z.number().int(),
  changes: z.array(StateChange),
})
export type StateDelta = z.infer<typeof StateDelta>

/** By what the things of a state are known in its changes. */
export const STATE_KEYS = {
  agents: (agent: Agent): string => agent.name,
  needs: (need: Need): string => need.key,
  approvals: (approval: Approval): string => String(approval.id),
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const isManager = ({ name }: Agent): number => Number(name === MANAGER)

/** In which order the things of a state stand. */
export const STATE_ORDER = {
  agents: (a: Agent, b: Agent): number => isManager(b) - isManager(a) || byText(a.name, b.name),
  needs: (a: Need, b: Need): number => a.since - b.since || byText(a.key, b.key),
  approvals: (a: Approval, b: Approval): number => a.id - b.id,
}

/**
 * The state after a delta; the same one when it holds that already. Undefined when something between the two is missing:
 * then the state has to be fetched anew.
 */
export function applyDelta(state: HiveState, { after, seq, changes }: StateDelta): HiveState | undefined {
  if (seq <= state.seq) return state
  if (after > state.seq) return undefined
  const lists = {
    agents: keyed(state.agents, STATE_KEYS.agents),
    needs: keyed(state.needs, STATE_KEYS.needs),
    approvals: keyed(state.approvals, STATE_KEYS.approvals),
  }
  const next = { ...state, seq }
  for (const change of changes) {
    if (change.of === 'status') next.status = change.value
    else if (change.of === 'errors') next.errors = change.value
    else if (change.value === null) lists[change.of].delete(change.key)
    else (lists[change.of] as Map<string, unknown>).set(change.key, change.value)
  }
  return {
    ...next,
    agents: [...lists.agents.values()].sort(STATE_ORDER.agents),
    needs: [...lists.needs.values()].sort(STATE_ORDER.needs),
    approvals: [...lists.approvals.values()].sort(STATE_ORDER.approvals),
  }
}

const keyed = <T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T> =>
  new Map(list.map((one) => [keyOf(one), one]))

import type { AgentRegistry } from '../agents/registry.ts'
import type { Broker } from '../broker/broker.ts'
import type { DayNotes } from '../money/day-notes.ts'

export interface UnparkDeps {
  readonly registry: Pick<AgentRegistry, 'get'>
  readonly broker: Pick<Broker, 'store' | 'unpark'>
  readonly notes: Pick<DayNotes, 'override'>
}

/** Lets a parked agent go on now; one whose budget is used up for the rest of the day. Throws `not_found`. */
export async function unpark({ registry, broker, notes }: UnparkDeps, agent: string): Promise<void> {
  registry.get(agent)
  const parked = broker.store.parked(agent)
  if (parked?.reason === 'budget') await notes.override(agent, { detail: parked.detail })
  await broker.unpark(agent)
}

import type { HiveState } from '../../wire/hive-state.ts'
import { MANAGER } from '../../wire/names.ts'

export interface Step {
  readonly what: string
  readonly isDone: boolean
  /** Of the page that does it. */
  readonly link?: string
}

/** What a new hive needs before it works; undefined once it does. */
export function firstSteps({
  agents,
  approvals,
}: Pick<HiveState, 'agents' | 'approvals'>): readonly Step[] | undefined {
  if (agents.length > 1) return undefined
  const manager = agents.find(({ name }) => name === MANAGER)
  const isUp = manager !== undefined && !['offline', 'starting', 'failed', 'stopped'].includes(manager.state)
  const first = approvals.find(({ kind }) => kind === 'spawn')
  return [
    { what: 'the hive runs', isDone: true },
    { what: 'the manager runs', isDone: isUp, link: `/a/${MANAGER}?panel=journal` },
    {
      what: 'the manager is logged in',
      isDone: isUp && manager.state !== 'needs_login',
      link: `/a/${MANAGER}?panel=login`,
    },
    first
      ? { what: `approve the first agent, ${first.agent}`, isDone: false, link: `/approvals/${first.id}` }
      : { what: 'request the first agent, or ask the manager for one', isDone: false, link: `/a/${MANAGER}` },
  ]
}

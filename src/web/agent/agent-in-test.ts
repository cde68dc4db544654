import { NOTHING_SPENT } from '../../wire/money.ts'
import type { Agent } from '../../wire/things.ts'

/** An agent that a test says something about. */
export const agentOf = (name: string, more: Partial<Agent> = {}): Agent => ({
  name,
  role: 'agent',
  container: `h-${name}`,
  state: 'idle',
  stateSince: 5,
  desired: 'running',
  turn: null,
  model: 'haiku',
  sha: null,
  unread: 0,
  port: 8100,
  portTakenBy: null,
  needsUpdate: false,
  parked: null,
  paused: null,
  operation: null,
  account: {
    spent: NOTHING_SPENT,
    budget: {},
    used: null,
    isOverridden: false,
    requests: 0,
    doubt: null,
  },
  detail: null,
  lastTurn: null,
  ...more,
})

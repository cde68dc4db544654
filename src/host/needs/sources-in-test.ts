import type { NeedSources } from './needs.ts'

const NOTHING: NeedSources = {
  store: {
    deadLetters: () => Promise.resolve({ messages: [], errors: [], cursor: 0 }),
    countDeadLetters: () => Promise.resolve(0),
    pausedChains: () => Promise.resolve([]),
  },
  approvals: { list: () => ({ approvals: [], errors: [] }), countPending: () => 0 },
  agents: () => [],
  questions: () => [],
  permissions: () => [],
  failedUpdates: () => [],
  account: () => null,
  stopped: () => null,
  lowDisk: () => null,
  undecodable: () => Promise.resolve([]),
}

/** Sources of which nothing waits but what is given. */
export const sourcesOf = (given: Partial<NeedSources>): NeedSources => ({ ...NOTHING, ...given })

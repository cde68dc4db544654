import type { hostOps } from '../../wire/host-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import type { AgentViews } from '../agents/agent-views.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Approvals } from '../approvals/approvals.ts'
import type { Broker } from '../broker/broker.ts'
import type { Accounts } from '../money/accounts.ts'
import type { DayNotes } from '../money/day-notes.ts'
import type { Ledger } from '../money/ledger.ts'
import { metricsOf } from '../money/metrics.ts'
import type { RequestWatch } from '../money/request-watch.ts'
import type { Needs } from '../needs/needs.ts'

export interface MoneyDeps {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly views: AgentViews
  readonly approvals: Approvals
  readonly needs: Needs
  readonly ledger: Ledger
  readonly accounts: Accounts
  readonly notes: DayNotes
  readonly requests: RequestWatch
}

type MoneyHandlers = Pick<Handlers<typeof hostOps>, 'usage' | 'turns' | 'metrics'>

/** What has been spent, and the state of the hive in figures. */
export function moneyHandlers({
  registry,
  broker,
  views,
  approvals,
  needs,
  ledger,
  accounts,
  requests,
}: MoneyDeps): MoneyHandlers {
  return {
    async usage({ agent, days }) {
      // Of one that is gone there may be figures.
      if (agent !== undefined && !registry.wasDestroyed(agent)) registry.get(agent)
      await requests.look()
      const agents = agent === undefined ? accounts.all() : { [agent]: accounts.of(agent) }
      return { ...ledger.usage(agent, days), today: { hive: accounts.ofHive(), agents } }
    },

    turns({ agent, limit }) {
      if (!registry.wasDestroyed(agent)) registry.get(agent)
      return ledger.turns(agent, limit)
    },

    async metrics() {
      const agents = views.all()
      const { store } = broker
      const { user, system } = process.cpuUsage()
      const text = metricsOf({
        agents,
        messages: await store.count(),
        needs: await needs.count(agents),
        pendingApprovals: approvals.countPending(),
        slots: broker.slotUse(),
        totals: ledger.totals(),
        memoryBytes: process.memoryUsage.rss(),
        cpuSeconds: (user + system) / 1e6,
        startedAt: Date.now() / 1000 - process.uptime(),
      })
      return { text }
    },
  }
}

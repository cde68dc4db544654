import type { hostOps } from '../../wire/host-ops.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { AuditLog } from '../audit-log.ts'
import type { EventStore } from '../events/event-store.ts'

/** Who gives the links that let a browser in. */
export interface WebLinks {
  /** The page of an agent, or the dashboard. Throws `unavailable` when another program has its port. */
  link(agent: string | undefined): string
  /** Makes every link given before worthless. */
  newToken(): Promise<void>
}

/** The way into the dashboard, and what a page of it reads beside the rest. */
export function webHandlers({
  registry,
  events,
  audit,
  web,
}: {
  readonly registry: AgentRegistry
  readonly events: EventStore
  readonly audit: AuditLog
  readonly web: WebLinks
}): Pick<Handlers<typeof hostOps>, 'web_link' | 'event' | 'search_events'> {
  return {
    async web_link({ agent, new_token }) {
      if (agent !== undefined) registry.get(agent)
      if (new_token) {
        await web.newToken()
        await audit.note({ actor: OPERATOR, verb: 'new_web_token' })
      }
      return { url: web.link(agent) }
    },
    event: ({ agent, seq }) => ({ event: events.get(agent, seq) }),
    search_events({ agent, ...search }) {
      registry.get(agent)
      return events.search(agent, search)
    },
  }
}

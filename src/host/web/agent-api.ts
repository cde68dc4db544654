import type { Hono } from 'hono'
import type { hostOps } from '../../wire/host-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Agent, Message } from '../../wire/things.ts'
import { type ApiOptions, callOp, createRoutes, type Env, openStream, readJson } from './api.ts'
import { originalAgentState } from './original-state.ts'
import type { Streams } from './streams.ts'

export interface AgentApiOptions {
  readonly agent: string
  readonly handlers: Handlers<typeof hostOps>
  readonly streams: Streams
  readonly dashboardPort: number
  readonly viewOf: (agent: string) => Agent
  readonly inboxOf: (agent: string) => Promise<Message[]>
  /** The page of the agent, for whoever asked for this host. */
  readonly pageUrl: (host: string) => string
  readonly onInternalError: ApiOptions['onInternalError']
}

/** What the port of an agent answers: the way to its page, and a few paths that the original's users know. */
export function createAgentApi(options: AgentApiOptions): Hono<Env> {
  const { agent, handlers, streams, dashboardPort, viewOf, inboxOf, pageUrl, onInternalError } = options
  const api = createRoutes(onInternalError)
  api.get('/', (context) => context.redirect(pageUrl(context.req.header('host') ?? '')))
  api.get('/api/state', async (context) =>
    context.json(originalAgentState(viewOf(agent), await inboxOf(agent), dashboardPort)),
  )
  api.get('/events/stream', (context) => openStream(streams, context, [`events:${agent}`]))
  api.get('/events/history', async (context) =>
    context.json((await callOp(handlers, context, 'events', { agent, limit: 500 })) as object),
  )
  for (const verb of ['cancel', 'compact'] as const) {
    api.post(`/api/${verb}`, async (context) =>
      context.json((await callOp(handlers, context, verb, { agent })) as object),
    )
  }
  api.post('/api/model', async (context) => {
    const input = await readJson(context)
    return context.json((await callOp(handlers, context, 'model', { ...(input as object), agent })) as object)
  })
  api.notFound((context) => context.text('not here: the page of this agent is on the dashboard\n', 404))
  return api
}

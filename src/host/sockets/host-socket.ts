import { HiveError } from '../../wire/errors.ts'
import type { hostOps } from '../../wire/host-ops.ts'
import { OPERATOR } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { Lifecycle } from '../actions/lifecycle.ts'
import { unpark } from '../actions/unpark.ts'
import type { AgentViews } from '../agents/agent-views.ts'
import type { Deployments } from '../agents/deployments.ts'
import type { Holds } from '../agents/holds.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Supervisor } from '../agents/supervisor.ts'
import type { App } from '../app-dir.ts'
import type { Approvals } from '../approvals/approvals.ts'
import type { AuditLog } from '../audit-log.ts'
import type { Broker } from '../broker/broker.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import type { EventStore } from '../events/event-store.ts'
import type { LoginFlows } from '../logins/login-flows.ts'
import type { Needs } from '../needs/needs.ts'
import type { Problem } from '../problems.ts'
import type { Secrets } from '../secrets.ts'
import { type HousekeepingDeps, housekeepingHandlers } from './host-housekeeping.ts'
import { loginHandlers } from './host-logins.ts'
import { type MoneyDeps, moneyHandlers } from './host-money.ts'
import { type HostPermissionDeps, hostPermissionHandlers } from './host-permissions.ts'
import { type HostQuestionDeps, hostQuestionHandlers } from './host-questions.ts'
import { type RebuildDeps, rebuildHandlers } from './host-rebuild.ts'
import { type HostScheduleDeps, hostScheduleHandlers } from './host-schedules.ts'
import { type SupervisionDeps, supervisionHandlers } from './host-supervision.ts'
import { type HostTerminalDeps, terminalHandlers } from './host-terminals.ts'
import { type WebLinks, webHandlers } from './host-web.ts'

export interface HostSocketDeps
  extends HostScheduleDeps,
    MoneyDeps,
    SupervisionDeps,
    RebuildDeps,
    HostQuestionDeps,
    HostPermissionDeps,
    HostTerminalDeps {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly supervisor: Supervisor
  readonly views: AgentViews
  readonly lifecycle: Lifecycle
  readonly holds: Holds
  readonly deployments: Deployments
  readonly approvals: Approvals
  readonly secrets: Secrets
  readonly audit: AuditLog
  readonly needs: Needs
  readonly housekeeping: Pick<HousekeepingDeps, 'tombstones' | 'backup' | 'sinks'>
  readonly events: EventStore
  readonly logins: LoginFlows
  readonly runtime: ContainerRuntime
  readonly app: App
  readonly defaultModel: string
  readonly about: {
    readonly version: string
    readonly stateDir: string
    readonly runDir: string
    readonly startedAt: number
    readonly model: 'demo' | 'real'
    readonly network: 'none' | 'host'
    readonly terminal: boolean
  }
  readonly errors: () => Problem[]
  readonly web: WebLinks
  readonly shutdown: (options: { stopAgents: boolean }) => void
}

/** What the operator's socket answers. */
export function hostHandlers(deps: HostSocketDeps): Handlers<typeof hostOps> {
  const { registry, broker, supervisor, views, lifecycle, events, runtime, app, about } = deps
  const { deployments, approvals, secrets, audit, holds, needs } = deps
  const { store } = broker
  const actor = OPERATOR
  const noted = (verb: string, agent: string, detail?: Record<string, unknown>) =>
    audit.note({ actor, verb, agent, detail })

  const command = (agent: string, what: Parameters<ReturnType<typeof supervisor.link>['command']>[0]) => {
    registry.get(agent)
    supervisor.link(agent).command(what)
    return {}
  }

  return {
    ...loginHandlers(deps),
    ping: () => ({ pid: process.pid, version: about.version }),

    async status() {
      const agents = views.all()
      return {
        ...about,
        revision: app.revision,
        pid: process.pid,
        runtime: runtime.kind,
        slots: broker.slotUse(),
        agents,
        messages: await store.count(),
        stopped: holds.stopped,
        needs: await needs.count(agents),
        errors: [
          ...deps.errors(),
          ...(await needs.undecodable()).map(({ table, id, problem, since }) => ({
            where: `${table} ${id}`,
            problem,
            since,
          })),
        ],
      }
    },

    list: () => ({ agents: views.all() }),

    async spawn({ name }) {
      const warnings = await lifecycle.spawn(name)
      const sha = deployments.get(name).sha
      await noted('spawn', name, { sha })
      return { agent: views.get(name), warnings }
    },
    async start({ agent }) {
      await lifecycle.start(agent, { by: actor })
      await noted('start', agent)
      return { agent: views.get(agent) }
    },
    async kill({ agent, now }) {
      await lifecycle.kill(agent, { now })
      await noted('kill', agent, { now })
      return { agent: views.get(agent) }
    },
    async restart({ agent, now }) {
      await lifecycle.restart(agent, { now, by: actor })
      await noted('restart', agent, { now })
      return { agent: views.get(agent) }
    },
    async destroy({ agent, purge }) {
      await lifecycle.destroy(agent, { purge })
      await noted('destroy', agent, { purge })
      return {}
    },

    async send({ to, body, reply_to, key }) {
      const ids = await broker.send(OPERATOR, { to, body, replyTo: reply_to, key })
      return { id: ids[0] ?? 0, ids: [...ids] }
    },

    async messages({ agent, state, limit, after, wait_seconds }, { signal }) {
      if (after === undefined) return store.list({ agent, state, limit })
      const until = performance.now() + wait_seconds * 1000
      let cursor = after
      for (;;) {
        const page = await store.changes(cursor, { agent, state, limit })
        const nothing = page.messages.length === 0 && page.errors.length === 0
        const left = until - performance.now()
        if (!nothing || left <= 0 || signal.aborted) return page
        // A page may hold only rows that were not asked for.
        if (page.cursor === cursor) await broker.changes.wait(left, signal)
        if (signal.aborted) return page
        cursor = page.cursor
      }
    },

    async message({ id }) {
      const message = await store.get(id)
      if (!message) throw new HiveError('not_found', `no message ${id}`)
      return { message }
    },

    async events({ agent, after, before, limit, wait_seconds }, { signal }) {
      registry.get(agent)
      const until = performance.now() + wait_seconds * 1000
      for (;;) {
        const page = events.list(agent, { after, before, limit })
        const left = until - performance.now()
        if (page.length > 0 || after === undefined || left <= 0 || signal.aborted) {
          return { events: page, cursor: page.at(-1)?.seq ?? after ?? 0 }
        }
        await events.changes.wait(left, signal)
        if (signal.aborted) return { events: [], cursor: after }
      }
    },

    // It names what it is for: a message that is delivered right after it is not.
    cancel: ({ agent }) => command(agent, { do: 'cancel', messages: store.heldIds(agent) }),
    compact: ({ agent }) => command(agent, { do: 'compact' }),
    new_session: ({ agent }) => command(agent, { do: 'new_session' }),

    async model({ agent, model }) {
      if (model !== undefined) {
        await registry.setModel(agent, model === 'default' ? null : model)
        await noted('model', agent, { model })
        if (supervisor.link(agent).live) command(agent, { do: 'set_model', model: views.get(agent).model })
      }
      const source =
        registry.get(agent).model !== null ? 'operator' : deployments.find(agent)?.config.model ? 'config' : 'default'
      return { model: views.get(agent).model, source }
    },

    async unpark({ agent }) {
      await unpark(deps, agent)
      return { agent: views.get(agent) }
    },

    needs: async () => ({ needs: await needs.list() }),

    async requeue({ id }) {
      const dead = await store.get(id)
      if (dead && !registry.find(dead.to) && !registry.wasDestroyed(dead.to)) {
        throw new HiveError('conflict', `${dead.to} is gone for good`, { hint: `hive drop ${id}` })
      }
      const message = await store.requeue(id)
      broker.poke(message.to)
      return { message }
    },
    async drop({ id }) {
      const message = await store.drop(id)
      broker.changes.notify()
      return { message }
    },
    async allow({ root, stop }) {
      if (stop) await store.stopChain(root)
      else await store.allowChain(root, 16)
      broker.changes.notify()
      return {}
    },

    async request_spawn({ name, reason }) {
      return { approval: await approvals.requestSpawn({ agent: name, requester: actor, description: reason }) }
    },
    pending: (filter) => approvals.list(filter),
    show: ({ id }) => approvals.show(id),
    async approve(shown) {
      return { approval: await approvals.approve(shown, actor) }
    },
    async deny({ id, reason }) {
      return { approval: await approvals.deny(id, reason, actor) }
    },
    deploy_log: ({ id, after, wait_seconds }, { signal }) =>
      approvals.followLog(id, after, wait_seconds * 1000, signal),
    deploys: ({ agent, limit }) => approvals.deploys(agent, limit),
    config({ agent }) {
      registry.get(agent)
      return deployments.configText(agent)
    },
    audit: (filter) => audit.list(filter),

    ...moneyHandlers(deps),
    ...supervisionHandlers(deps),
    ...rebuildHandlers(deps),

    secrets: () => ({ secrets: secrets.list() }),
    async set_secret({ name, value }) {
      await secrets.set(name, value)
      await audit.note({ actor, verb: 'set_secret', detail: { name } })
      return {}
    },
    async remove_secret({ name }) {
      const users = deployments.usersOf(name)
      if (users.length > 0) {
        throw new HiveError('conflict', `the configuration of ${users.join(', ')} uses the secret ${name}`, {
          hint: 'deploy one that does not, first',
        })
      }
      await secrets.remove(name)
      await audit.note({ actor, verb: 'remove_secret', detail: { name } })
      return {}
    },

    ...hostScheduleHandlers(deps),
    ...terminalHandlers(deps),
    ...webHandlers(deps),
    ...hostQuestionHandlers(deps),
    ...hostPermissionHandlers(deps),
    ...housekeepingHandlers({ ...deps, ...deps.housekeeping, stateDir: about.stateDir }),

    shutdown({ stopAgents }) {
      deps.shutdown({ stopAgents })
      return {}
    },
  }
}

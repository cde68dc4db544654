import type { Log } from '../../kit/log.ts'
import type { agentOps, HarnessSettings } from '../../wire/agent-ops.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { roleOf } from '../../wire/names.ts'
import type { Handlers } from '../../wire/op.ts'
import type { TurnEnd, TurnUsage } from '../../wire/turn.ts'
import { agentEnvOf, harnessConfigOf } from '../agents/agent-settings.ts'
import type { Deployments } from '../agents/deployments.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Supervisor } from '../agents/supervisor.ts'
import type { Broker } from '../broker/broker.ts'
import type { EventStore } from '../events/event-store.ts'
import type { LoginFiles } from '../logins/login-files.ts'
import type { LoginFlows } from '../logins/login-flows.ts'
import type { LoginNews } from '../logins/login-news.ts'
import type { Accounts } from '../money/accounts.ts'
import { agentLoginHandlers } from './agent-logins.ts'
import { type AgentPermissionDeps, agentPermissionHandlers } from './agent-permissions.ts'
import { type AgentQuestionDeps, agentQuestionHandlers } from './agent-questions.ts'
import { type AgentScheduleDeps, agentScheduleHandlers } from './agent-schedules.ts'

export interface AgentSocketDeps extends AgentScheduleDeps, AgentQuestionDeps, AgentPermissionDeps {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly supervisor: Pick<Supervisor, 'link' | 'admitMail'>
  readonly deployments: Pick<Deployments, 'get'>
  readonly secret: (name: string) => string | undefined
  readonly events: EventStore
  readonly accounts: Pick<Accounts, 'noteTurn' | 'overspent'>
  readonly logins: LoginFlows
  readonly loginNews: LoginNews
  readonly loginFiles: Pick<LoginFiles, 'assertOwn'>
  readonly log: Log
  readonly defaults: Omit<HarnessSettings, 'agent' | 'role' | 'config'>
  /** Environment of an agent's engine, secrets included; `own` is what its configuration adds. */
  readonly agentEnv: (agent: string, own: Readonly<Record<string, string>>) => Readonly<Record<string, string>>
}

/** What the socket of one agent answers. Everything that comes in is that agent's claim about itself. */
export function agentHandlers(deps: AgentSocketDeps, agent: string): Handlers<typeof agentOps> {
  const { registry, broker, supervisor, deployments, secret, events, accounts, loginNews, log, defaults } = deps
  const { store } = broker
  const link = supervisor.link(agent)

  const endTurn = async (epoch: number, ids: number[], end: TurnEnd, accepted: boolean) => {
    const { action } = await broker.endTurn(agent, epoch, ids, end, accepted).catch((error: unknown) => {
      log.warn({ agent, epoch, ids, error: errorText(error) }, 'the end of a turn was refused')
      throw error
    })
    link.turnEnded(end)
    // The end stands, whatever becomes of this: the next one tells.
    await loginNews.tellOf(agent).catch((error: unknown) => {
      log.warn({ agent, error: errorText(error) }, 'the manager could not be told of a login')
    })
    return action
  }

  /** The turn in progress ends before its time when it has used what is left of a budget; its message waits with the rest. */
  const watchBudget = (usage: TurnUsage) => {
    accounts.noteTurn(agent, usage)
    const over = accounts.overspent(agent)
    if (over) link.callBack(store.heldIds(agent), `budget: ${over.detail}`)
  }

  return {
    ...agentLoginHandlers(deps, link, agent),

    async hello({ revision, deployment, epoch: known }, call) {
      deps.loginFiles.assertOwn(agent)
      const { config } = deployments.get(agent)
      const settings: HarnessSettings = {
        agent,
        role: roleOf(agent),
        ...defaults,
        model: registry.get(agent).model ?? config.model ?? defaults.model,
        config: harnessConfigOf(config, secret),
      }
      const env = { ...deps.agentEnv(agent, agentEnvOf(config, secret)) }
      using _ = link.reserve(call.connection)
      const goesOn = known !== undefined && known === store.epoch(agent)
      const epoch = goesOn
        ? known
        : await broker.beginEpoch(agent, { charge: true, reason: 'the harness was started again' })
      if (!goesOn) deps.logins.endedWithHarness(agent)
      link.attach(call, { epoch, revision, deployment })
      const leases = await store.held(agent, epoch)
      // The daemon was away while a turn went on: the events tell since when.
      const [woke] = leases
      if (woke && link.turnSince === undefined) link.turnBegan(events.turnBegan(agent, epoch, woke.id))
      // Before it asks for mail: a daemon that has just come up knows no closed inbox.
      supervisor.admitMail(agent)
      // It may run with another configuration than before.
      broker.reconsider(agent)
      log.info({ agent, epoch, goesOn, leases: leases.length }, 'hello')
      broker.changes.notify()
      return { epoch, settings, env, leases }
    },

    async ready(state, call) {
      link.assertHarness(call)
      link.becameReady(state)
      broker.changes.notify()
      supervisor.admitMail(agent)
      await loginNews.becameReady(agent, state)
      return {}
    },

    status({ brain, turn }, call) {
      if (link.brainIs(link.assertHarness(call), brain)) broker.changes.notify()
      if (turn && store.holds(agent)) watchBudget(turn)
      return { unread: store.queued(agent) }
    },

    async recv({ wait_seconds, max }, call) {
      const holds = store.holds(agent)
      const isHarness = link.live?.connection === call.connection
      // Another process of the sandbox may join a turn, never begin one: nobody would end it.
      if (!holds && !isHarness) throw new HiveError('forbidden', 'no turn is in progress', { hint: 'say hello first' })
      const epoch = link.live?.epoch ?? store.epoch(agent)
      const messages = await broker.recv(agent, { epoch, max, waitMs: wait_seconds * 1000, signal: call.signal })
      if (messages.length > 0 && !holds) link.turnBegan()
      return { messages: [...messages] }
    },

    async send({ to, body, reply_to, key }) {
      const ids = await broker.send(agent, { to, body, replyTo: reply_to, key })
      return { id: ids[0] ?? 0, ids: [...ids] }
    },

    async ack({ epoch, ids, end }, call) {
      link.assertEpoch(call, epoch)
      await endTurn(epoch, ids, end, true)
      return {}
    },

    async release({ epoch, ids, end }, call) {
      link.assertEpoch(call, epoch)
      return { action: await endTurn(epoch, ids, end, false) }
    },

    inbox: async ({ limit }) => ({ messages: await store.waiting(agent, limit) }),

    async append_events({ epoch, events: batch }, call) {
      link.assertEpoch(call, epoch)
      await events.append(agent, epoch, batch)
      return {}
    },

    async commands({ wait_seconds }, call) {
      link.assertHarness(call)
      return { commands: await link.takeCommands(wait_seconds * 1000, call.signal) }
    },

    ...agentScheduleHandlers(deps, agent),
    ...agentQuestionHandlers(deps, agent),
    ...agentPermissionHandlers(deps, { agent, link }),
  }
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Log } from '../../kit/log.ts'
import type { Settings } from '../../kit/settings.ts'
import type { Diff } from '../../wire/approvals.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import type { hostOps } from '../../wire/host-ops.ts'
import type { Handlers } from '../../wire/op.ts'
import type { AgentViews } from '../agents/agent-views.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Broker } from '../broker/broker.ts'
import type { EventStore } from '../events/event-store.ts'
import { type Problem, Problems } from '../problems.ts'
import type { WebLinks } from '../sockets/host-web.ts'
import { addressesOf, namesOf, type Tls } from './addresses.ts'
import { createAgentApi } from './agent-api.ts'
import { assignPorts } from './agent-ports.ts'
import { createApi, type Env } from './api.ts'
import { type GateRules, type Refusal, refuse } from './gate.ts'
import { HiveFeed } from './hive-feed.ts'
import { openPort, type Port } from './port.ts'
import { SECURITY_HEADERS } from './security-headers.ts'
import { addStaticApp, builtAppPlaces } from './static-app.ts'
import { Streams } from './streams.ts'
import type { WebToken } from './token.ts'

export interface WebOptions {
  readonly settings: Pick<Settings, 'port' | 'agentPorts' | 'listen' | 'allowedHosts' | 'trustedProxy' | 'tls'>
  readonly handlers: Handlers<typeof hostOps>
  readonly token: WebToken
  readonly tls: Tls | undefined
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly views: AgentViews
  readonly events: EventStore
  /** Throws `not_found`. */
  readonly diff: (id: number, base: string, sha: string) => Promise<Diff>
  /** `ok`, or in a word what is wrong. */
  readonly health: () => string
  readonly appPlaces?: readonly string[]
  readonly startedAt: number
  readonly log: Log
}

/** What the problem with it is called by. */
const TOKEN = 'token of the dashboard'
/** Addresses by which the link is answered. */
const LOCAL = ['127.0.0.1', '0.0.0.0', '::']

/** The dashboard's server and the ports of the agents: whoever has the token can do what the command line can. */
export class Web implements WebLinks, AsyncDisposable {
  readonly #options: WebOptions
  readonly #problems = new Problems()
  readonly #notices: string[] = []
  readonly #addresses: readonly string[]
  readonly #feed: HiveFeed
  readonly #streams: Streams
  #dashboard: Port | undefined
  readonly #agents = new Map<number, { agent: string; port: Port }>()
  #unsubscribe = () => {}
  #assigning: Promise<void> = Promise.resolve()
  #isClosing = false

  constructor(options: WebOptions) {
    const { settings, handlers, registry, broker, events, startedAt } = options
    this.#options = options
    this.#addresses = addressesOf(settings.listen)
    this.#feed = new HiveFeed({
      read: () => readState(handlers),
      news: broker.changes,
      startedAt,
      onProblem: (error) => this.#noteFeed(error),
    })
    this.#streams = new Streams({
      feed: this.#feed,
      broker,
      events,
      assertAgent: (agent) => void registry.get(agent),
      onInternalError: this.#onInternalError,
    })
  }

  /** Opens the ports. Resolves when the dashboard's is bound, or is known not to be: it is tried again for as long as it takes. */
  async open(): Promise<void> {
    const { settings, handlers, registry, health, diff, appPlaces = builtAppPlaces() } = this.#options
    const app = createApi({
      handlers,
      feed: this.#feed,
      streams: this.#streams,
      diff,
      health,
      onInternalError: this.#onInternalError,
    })
    addStaticApp(app, appPlaces)
    this.#dashboard = this.#openPort(settings.port, 'dashboard', app, true, () => this.#mistrustToken())
    if (settings.agentPorts) {
      this.#unsubscribe = registry.changes.subscribe(() => void this.#assign())
      void this.#assign()
    }
    await this.#dashboard.tried
  }

  errors(): Problem[] {
    return this.#problems.list()
  }

  /** What the operator should be told at the start. */
  get notices(): readonly string[] {
    return this.#notices
  }

  link(agent: string | undefined): string {
    const { settings, token } = this.#options
    // Whoever has the port instead would be given the token.
    if (!LOCAL.some((address) => this.#dashboard?.isBound(address))) {
      throw new HiveError('unavailable', `port ${settings.port} of the dashboard cannot be listened on`, {
        hint: `hive status says why; ss -ltnp 'sport = :${settings.port}' shows who has it, --port chooses another`,
      })
    }
    return `${this.#base('127.0.0.1')}/${agent === undefined ? '' : `a/${agent}`}#${token.value}`
  }

  async newToken(): Promise<void> {
    await this.#options.token.renew()
    this.#streams.cut()
    this.#problems.clear(TOKEN)
  }

  /** Browsers that came back to the port while no daemon was there gave their token to whoever has it now. */
  async #mistrustToken(): Promise<void> {
    const { settings, log } = this.#options
    const notice = `another program has port ${settings.port}, and browsers may have shown it the token of the dashboard`
    log.warn({ port: settings.port }, `${notice}: there is a new one`)
    this.#notices.push(`${notice}: there is a new one, hive open gives its link when the port is free`)
    try {
      await this.newToken()
    } catch (error) {
      log.error({ err: error }, 'the new token of the dashboard cannot be kept')
      const problem = `the new one cannot be kept, the old one is good again after a restart: ${errorText(error)}`
      this.#problems.note(TOKEN, `${problem}; hive open --new-token tries again`)
    }
  }

  /** The address of the dashboard, for whoever came by this host. */
  #base(host: string): string {
    const { settings, tls } = this.#options
    const { port } = settings
    const scheme = tls ? 'https' : 'http'
    const isUsual = port === (tls ? 443 : 80)
    return `${scheme}://${host}${isUsual ? '' : `:${port}`}`
  }

  #openPort(port: number, owner: string, app: Hono<Env>, needsOrigin: boolean, onTaken?: () => Promise<void>): Port {
    const { settings, token, log } = this.#options
    const { hosts, origins } = namesOf(port, settings)
    const rules: GateRules = {
      hosts,
      origins: needsOrigin ? origins : new Set(),
      needsOrigin,
      isToken: (text) => token.is(text),
    }
    return openPort({
      port,
      name: `port ${port} (${owner})`,
      addresses: this.#addresses,
      tls: this.#options.tls,
      listener: guarded(rules, app),
      problems: this.#problems,
      log,
      ...(onTaken && { onTaken }),
    })
  }

  /** Opens and closes the ports of agents as they come and go, one change after the other. */
  #assign(): Promise<void> {
    this.#assigning = this.#assigning.then(async () => {
      const { registry, settings } = this.#options
      if (this.#isClosing) return
      const wanted = assignPorts(registry.names(), settings.port)
      for (const [number, { agent, port }] of this.#agents) {
        if (wanted.get(number) === agent) continue
        this.#agents.delete(number)
        await port[Symbol.asyncDispose]()
      }
      for (const [number, agent] of wanted) {
        if (this.#agents.has(number)) continue
        this.#agents.set(number, { agent, port: this.#openPort(number, agent, this.#agentApi(agent), false) })
      }
    })
    return this.#assigning
  }

  #agentApi(agent: string): Hono<Env> {
    const { handlers, views, broker, settings } = this.#options
    return createAgentApi({
      agent,
      handlers,
      streams: this.#streams,
      dashboardPort: settings.port,
      viewOf: (name) => views.get(name),
      inboxOf: (name) => broker.store.waiting(name, 30),
      pageUrl: (host) => `${this.#base(dashboardHost(host))}/a/${agent}`,
      onInternalError: this.#onInternalError,
    })
  }

  readonly #onInternalError = (error: unknown, path: string): void =>
    this.#options.log.error({ path, err: error }, 'a request failed')

  #noteFeed(error: unknown): void {
    if (error === undefined) this.#problems.clear('dashboard')
    else {
      this.#options.log.error({ err: error }, 'the state for the dashboard cannot be read')
      this.#problems.note('dashboard', error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    this.#unsubscribe()
    this.#streams.cut()
    await this.#assigning
    const ports = [this.#dashboard, ...[...this.#agents.values()].map(({ port }) => port)]
    await Promise.all(ports.map((port) => port?.[Symbol.asyncDispose]()))
    this.#feed[Symbol.dispose]()
  }
}

/** The gate, and behind it the app. */
function guarded(rules: GateRules, app: Hono<Env>): RequestListener {
  const listener = getRequestListener(app.fetch as Parameters<typeof getRequestListener>[0], {
    overrideGlobalObjects: false,
  })
  return (incoming, outgoing) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) outgoing.setHeader(name, value)
    const { method = '', url = '', rawHeaders } = incoming
    const refusal = refuse({ method, target: url, rawHeaders }, rules)
    if (refusal) sendRefusal(incoming, outgoing, refusal)
    else void listener(incoming, outgoing)
  }
}

/** What follows of the request is not read. */
function sendRefusal(incoming: IncomingMessage, outgoing: ServerResponse, refusal: Refusal): void {
  const { status, code, message, hint, headers } = refusal
  outgoing.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers })
  outgoing.end(JSON.stringify({ error: { code, message, hint } }))
  incoming.resume()
}

/** Where the token of a browser is: it keeps it for the one name that the link has. */
function dashboardHost(host: string): string {
  const name = host.replace(/:\d+$/, '')
  return ['localhost', '127.0.0.1', '[::1]'].includes(name) ? '127.0.0.1' : name
}

async function readState(handlers: Handlers<typeof hostOps>) {
  const call = { signal: new AbortController().signal, connection: handlers }
  const [{ agents, errors, ...status }, { needs }, { approvals }] = await Promise.all([
    handlers.status({}, call),
    handlers.needs({}, call),
    handlers.pending({ all: false, limit: 1000 }, call),
  ])
  return { status, errors, agents, needs, approvals }
}

import { join } from 'node:path'
import type { Log } from '../kit/log.ts'
import { connectOps } from '../kit/op-client.ts'
import { HiveError } from '../wire/errors.ts'
import { gatewayOps } from '../wire/gateway-ops.ts'
import type { App } from './app-dir.ts'
import { Companion, type CompanionOptions } from './companion.ts'
import { GATEWAY_UID, type Layout } from './layout.ts'
import type { Problem } from './problems.ts'

export interface GatewayOptions {
  readonly layout: Layout
  readonly app: App
  readonly daemonUid: number
  readonly log: Log
  readonly agents: () => string[]
  /** `host:port` that every agent may reach although it is not public. */
  readonly endpoints: () => readonly string[]
  /** Base URL of the model that agents ask; undefined: Anthropic's own. */
  readonly modelUrl: () => string | undefined
  /** The hosts that an agent may reach beside its model; undefined: every public address. */
  readonly egressOf: (agent: string) => readonly string[] | undefined
  readonly times?: CompanionOptions['times']
}

/**
 * Where the engine finds its model and its login unless a base URL leads elsewhere: `BASE_API_URL` and `TOKEN_URL` in
 * the program of Claude Code 2.1.329. The pages of a login are opened by the operator's browser, not by the agent.
 */
const MODEL_HOSTS = ['api.anthropic.com:443', 'platform.claude.com:443']

/** For a look that may be repeated. */
const COUNT_TIMEOUT_MS = 5_000

/** Many connections may have to be ended. */
const CONFIGURE_TIMEOUT_MS = 30_000

/** The daemon's end of the egress gateway: keeps it running, and tells it who there is. */
export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions
  readonly #companion: Companion
  #configured: Promise<unknown> = Promise.resolve()
  /** Agents for which it cannot listen. */
  #unserved: Problem[] = []

  constructor(options: GatewayOptions) {
    this.#options = options
    const { layout, app, daemonUid, log, times } = options
    const ids = daemonUid === 0 ? ['--uid', String(GATEWAY_UID), '--gid', String(GATEWAY_UID)] : []
    const flags = {
      control: layout.gateway.control,
      config: layout.gateway.config,
      log: layout.gateway.log,
      revision: app.revision,
    }
    this.#companion = new Companion({
      name: 'gateway',
      stateDir: layout.stateDir,
      argv: async () => [
        join(app.directory, 'node'),
        join(app.directory, 'gateway.mjs'),
        ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
        ...ids,
      ],
      revision: app.revision,
      ask: async (signal) => {
        await using connection = await connectOps(gatewayOps, layout.gateway.control)
        return await connection.call.ping({}, { signal })
      },
      onUp: () => this.configure(),
      log,
      times,
    })
  }

  /** Adopts or starts the gateway, and keeps it running. */
  open(): Promise<void> {
    return this.#companion.open()
  }

  /**
   * Tells it which agents exist and what they may reach, one call after the other.
   * Throws when it cannot be told; when it cannot listen for `agent`, that too: others are only shown.
   */
  configure(agent?: string): Promise<void> {
    const configured = this.#configured.then(() => this.#configure(agent))
    this.#configured = configured.catch(() => {}) // Whoever called is told.
    return configured
  }

  async #configure(agent?: string): Promise<void> {
    const { layout, agents, endpoints, modelUrl } = this.#options
    const url = modelUrl()
    await using connection = await connectOps(gatewayOps, layout.gateway.control)
    const { unserved } = await connection.call.configure(
      {
        agents: agents().map((name) => ({
          name,
          socket: layout.agent(name).egressSocket,
          allow: this.#allowed(name, url),
        })),
        endpoints: [...endpoints(), ...(url ? [endpointOf(url)] : [])],
        model: url ? [endpointOf(url)] : MODEL_HOSTS,
      },
      { signal: AbortSignal.timeout(CONFIGURE_TIMEOUT_MS) },
    )
    this.#unserved = Object.entries(unserved).map(([name, problem]) => ({
      where: `egress of ${name}`,
      problem,
      since: Date.now(),
    }))
    const problem = agent && unserved[agent]
    if (problem) throw new HiveError('unavailable', `the gateway cannot listen for ${agent}: ${problem}`)
  }

  /** A model with a URL of its own is an endpoint, and needs no line in anybody's list. */
  #allowed(agent: string, url: string | undefined): string[] | undefined {
    const egress = this.#options.egressOf(agent)
    return egress && [...egress, ...(url ? [] : MODEL_HOSTS)]
  }

  /** How many requests to its model each agent has made since the gateway started; tunnels count once, and when they end. Throws when it is away. */
  async modelRequests(): Promise<ReadonlyMap<string, number>> {
    await using connection = await connectOps(gatewayOps, this.#options.layout.gateway.control)
    const { agents } = await connection.call.counts({}, { signal: AbortSignal.timeout(COUNT_TIMEOUT_MS) })
    return new Map(Object.entries(agents).map(([agent, { model }]) => [agent, model]))
  }

  errors(): Problem[] {
    return [...this.#companion.errors(), ...this.#unserved]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#companion[Symbol.asyncDispose]()
  }
}

/** `host:port` of a base URL. */
export function endpointOf(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
}

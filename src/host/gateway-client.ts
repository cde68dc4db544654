import { join } from 'node:path'
import type { Log } from '../kit/log.ts'
import { connectOps, type OpConnection } from '../kit/op-client.ts'
import { errorText } from '../wire/errors.ts'
import { gatewayOps } from '../wire/gateway-ops.ts'
import type { App } from './app-dir.ts'
import { ensureCompanion } from './companion.ts'
import { GATEWAY_UID, type Layout } from './layout.ts'

export interface GatewayOptions {
  readonly layout: Layout
  readonly app: App
  readonly daemonUid: number
  readonly log: Log
  readonly agents: () => string[]
  /** `host:port` that every agent may reach although it is not public. */
  readonly endpoints: readonly string[]
}

/** The daemon's end of the egress gateway: keeps it running, and tells it who there is. */
export class Gateway implements AsyncDisposable {
  readonly #options: GatewayOptions
  #connection: OpConnection<typeof gatewayOps> | undefined
  #closed = false
  #problem: { where: string; problem: string; since: number } | undefined

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  /** Adopts or starts the gateway; starts it again whenever it is lost. */
  async open(): Promise<void> {
    const { layout, app, daemonUid } = this.#options
    const { control, config, log } = layout.gateway
    const ids = daemonUid === 0 ? ['--uid', String(GATEWAY_UID), '--gid', String(GATEWAY_UID)] : []
    const program = join(app.directory, 'gateway.mjs')
    await ensureCompanion({
      name: 'gateway',
      stateDir: layout.stateDir,
      argv: [
        join(app.directory, 'node'),
        program,
        '--control',
        control,
        '--config',
        config,
        '--log',
        log,
        '--revision',
        app.revision,
        ...ids,
      ],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      revision: app.revision,
      isServing: () => this.#connect(),
    })
    this.#problem = undefined
    void this.#connection?.closed.then(() => this.#onLost())
  }

  async #connect(): Promise<boolean> {
    try {
      this.#connection = await connectOps(gatewayOps, this.#options.layout.gateway.control)
      await this.#connection.call.ping({})
      return true
    } catch {
      return false // Not yet: whoever asks decides how long to go on asking.
    }
  }

  async #onLost(): Promise<void> {
    if (this.#closed) return
    try {
      await this.open()
      await this.configure()
    } catch (error) {
      this.#problem = { where: 'gateway', problem: errorText(error), since: Date.now() }
      this.#options.log.error({ error: errorText(error) }, 'the gateway is lost')
      setTimeout(() => void this.#onLost(), 5_000).unref()
    }
  }

  /** Tells it which agents exist and what they may reach. */
  async configure(): Promise<void> {
    const { layout, agents, endpoints } = this.#options
    await this.#connection?.call.configure({
      agents: agents().map((name) => ({ name, socket: layout.agent(name).egressSocket })),
      endpoints: [...endpoints],
    })
  }

  errors() {
    return this.#problem ? [this.#problem] : []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#connection?.close()
  }
}

/** `host:port` of a base URL, for the endpoints that agents may reach. */
export function endpointOf(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
}

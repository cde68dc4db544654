import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { errorText, HiveError } from '../wire/errors.ts'
import { gatewayOps } from '../wire/gateway-ops.ts'
import type { Handlers, Parsed } from '../wire/op.ts'
import { createProxy, type RequestEntry } from './proxy.ts'
import { formatTarget, parseAuthority } from './target.ts'

type Configuration = Parsed<typeof gatewayOps.configure>
type Listening = { readonly server: Server; allow: readonly string[] | undefined }

export interface GatewayOptions {
  /** Where the last configuration is kept, so that a restarted gateway serves without the daemon. */
  readonly configFile: string
  readonly revision: string
  readonly log: (agent: string, entry: RequestEntry) => void
}

/** One proxy per agent, on a socket of its own: who asks is decided by where it asks. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #proxies = new Map<string, Listening>()
  readonly #counts = new Map<string, { allowed: number; refused: number }>()
  #endpoints: ReadonlySet<string> = new Set()

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  readonly handlers: Handlers<typeof gatewayOps> = {
    ping: () => ({ pid: process.pid, revision: this.#options.revision }),
    configure: async (configuration) => {
      await this.#apply(configuration)
      const { configFile } = this.#options
      writeFileSync(`${configFile}.new`, JSON.stringify(configuration), { mode: 0o600 })
      renameSync(`${configFile}.new`, configFile)
      return {}
    },
    counts: () => ({ agents: Object.fromEntries(this.#counts) }),
  }

  /** Takes up the configuration it had. */
  async restore(): Promise<void> {
    const { configFile } = this.#options
    if (!existsSync(configFile)) return
    await this.#apply(gatewayOps.configure.input.parse(JSON.parse(readFileSync(configFile, 'utf8'))))
  }

  async #apply({ agents, endpoints }: Configuration): Promise<void> {
    this.#endpoints = new Set(endpoints.map(normalizeEndpoint))
    const wanted = new Map(agents.map((agent) => [agent.socket, agent]))
    for (const [socket, { server }] of this.#proxies) {
      if (wanted.has(socket)) continue
      this.#proxies.delete(socket)
      server.close()
      server.closeAllConnections()
    }
    for (const { name, socket, allow } of agents) {
      const listening = this.#proxies.get(socket)
      if (listening) listening.allow = allow
      else await this.#listen(name, socket, allow)
    }
  }

  async #listen(agent: string, socket: string, allow: readonly string[] | undefined): Promise<void> {
    const server = createProxy({
      policy: () => ({ allow: this.#proxies.get(socket)?.allow, endpoints: this.#endpoints }),
      onRequest: (entry) => this.#record(agent, entry),
    })
    rmSync(socket, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new HiveError('unavailable', `cannot listen on ${socket}: ${errorText(cause)}`, { cause })),
      )
      server.listen(socket, resolve)
    })
    // Its group is the agent's: the directory hands it down.
    chmodSync(socket, 0o660)
    this.#proxies.set(socket, { server, allow })
  }

  #record(agent: string, entry: RequestEntry): void {
    const counts = this.#counts.get(agent) ?? { allowed: 0, refused: 0 }
    this.#counts.set(agent, counts)
    if (entry.verdict === 'refused') counts.refused += 1
    else counts.allowed += 1
    this.#options.log(agent, entry)
  }
}

/** Written as requests are: `LOCALHOST:80` and `[::1]:80` in their usual spelling. Throws `bad_input`. */
function normalizeEndpoint(endpoint: string): string {
  const target = parseAuthority(endpoint)
  if (!target) throw new HiveError('bad_input', `endpoint ${JSON.stringify(endpoint)} is not host:port`)
  return formatTarget(target)
}

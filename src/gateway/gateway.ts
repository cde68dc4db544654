import { chmodSync, existsSync, rmSync } from 'node:fs'
import { errorText, HiveError } from '../wire/errors.ts'
import { type AllowRule, parseAllowRule } from './allow-rule.ts'
import type { RequestEntry } from './exchange.ts'
import type { Configuration } from './kept-configuration.ts'
import type { Surroundings } from './policy.ts'
import { createProxy, type EgressProxy } from './proxy.ts'
import { formatTarget, parseAuthority } from './target.ts'

export interface GatewayOptions {
  readonly surroundings: Surroundings
  readonly log: (agent: string, entry: RequestEntry) => void
}

type Allow = readonly AllowRule[] | undefined

interface Served {
  readonly socket: string
  readonly proxy: EgressProxy
  readonly list: { allow: Allow }
}

interface Counts {
  allowed: number
  refused: number
  /** Of those that were allowed: to the model. */
  model: number
}

/** One proxy per agent, each on a socket of its own: who asks is decided by where it asks. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #served = new Map<string, Served>()
  readonly #counts = new Map<string, Counts>()
  #endpoints: ReadonlySet<string> = new Set()
  #model: ReadonlySet<string> = new Set()
  #applied: Promise<unknown> = Promise.resolve()

  constructor(options: GatewayOptions) {
    this.#options = options
  }

  counts(): Record<string, Counts> {
    return Object.fromEntries(this.#counts)
  }

  /**
   * Replaces what is served, one call after the other; what is under way and not allowed any more ends. Gives the agents whose socket cannot be made, with the reason: the others are served.
   * Throws `bad_input` and changes nothing when a rule cannot be read.
   */
  apply(configuration: Configuration): Promise<Record<string, string>> {
    const applied = this.#applied.then(() => this.#apply(configuration))
    this.#applied = applied.catch(() => {})
    return applied
  }

  async close(): Promise<void> {
    await this.apply({ agents: [], endpoints: [], model: [] })
  }

  async #apply({ agents, endpoints, model }: Configuration): Promise<Record<string, string>> {
    const opened = new Set(endpoints.map(readEndpoint))
    const asked = new Set(model.map(readEndpoint))
    const wanted = new Map(agents.map(({ name, socket, allow }) => [name, { socket, allow: allow?.map(readRule) }]))
    this.#endpoints = opened
    this.#model = asked
    for (const [name, { socket, proxy }] of this.#served) {
      // A socket that was removed by somebody has to be made anew.
      if (wanted.get(name)?.socket === socket && existsSync(socket)) continue
      this.#served.delete(name)
      await proxy.close()
    }
    const unserved: Record<string, string> = {}
    for (const [name, { socket, allow }] of wanted) {
      const served = this.#served.get(name)
      if (served) served.list.allow = allow
      else
        await this.#serve(name, socket, allow).catch((error) => {
          unserved[name] = errorText(error)
        })
    }
    for (const { proxy } of this.#served.values()) proxy.review()
    return unserved
  }

  async #serve(agent: string, socket: string, allow: Allow): Promise<void> {
    const list = { allow }
    const proxy = createProxy({
      policy: () => ({ allow: list.allow, endpoints: this.#endpoints }),
      surroundings: this.#options.surroundings,
      onRequest: (entry) => this.#record(agent, entry),
    })
    rmSync(socket, { force: true })
    await proxy.listen(socket)
    // The directory is ours and hands the agent's group down: the group may connect, nobody else.
    chmodSync(socket, 0o660)
    this.#served.set(agent, { socket, proxy, list })
  }

  #record(agent: string, entry: RequestEntry): void {
    const counts = this.#counts.get(agent) ?? { allowed: 0, refused: 0, model: 0 }
    this.#counts.set(agent, counts)
    if (entry.verdict === 'refused') counts.refused += 1
    else counts.allowed += 1
    if (entry.verdict !== 'refused' && this.#isModel(entry)) counts.model += 1
    this.#options.log(agent, entry)
  }

  #isModel({ host, port }: RequestEntry): boolean {
    return host !== null && port !== null && this.#model.has(formatTarget({ host, port }))
  }
}

/** In the spelling that requests are compared in: `LOCALHOST:80` and `[0::1]:80` too. */
function readEndpoint(text: string): string {
  const target = parseAuthority(text)
  if (target) return formatTarget(target)
  throw new HiveError('bad_input', `endpoint ${JSON.stringify(text)} is not host:port`, {
    hint: 'write an IPv6 address in brackets: [::1]:8080',
  })
}

function readRule(text: string): AllowRule {
  const rule = parseAllowRule(text)
  if (rule) return rule
  throw new HiveError('bad_input', `${JSON.stringify(text)} is no line of an egress list`, {
    hint: 'write host, *.suffix, or either with :port',
  })
}

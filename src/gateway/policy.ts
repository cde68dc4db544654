import { type AllowRule, matchesRule } from './allow-rule.ts'
import { isLoopback, isPublicAddress } from './public-address.ts'
import { formatTarget, isAddress, type Target } from './target.ts'

export interface Policy {
  /** The agent's own list; undefined: any public address. */
  readonly allow: readonly AllowRule[] | undefined
  /** `host:port` that the operator opened: it need not be public. */
  readonly endpoints: ReadonlySet<string>
}

/** What a decision needs to know of the world. */
export interface Surroundings {
  /** All addresses of a name. Rejects when it has none. */
  readonly lookUp: (host: string) => Promise<readonly string[]>
  /** The same for a name that the operator wrote: it may be one that only this machine knows. */
  readonly lookUpEndpoint: (host: string) => Promise<readonly string[]>
  /** Whether an address is one of this machine's, or in a network that it is part of: that is not the internet, whatever the address. */
  readonly isInOwnNetwork: (address: string) => boolean
}

export interface Passed {
  readonly pass: true
  readonly addresses: readonly string[]
  /** It passed because the operator opened it. */
  readonly isEndpoint: boolean
}
export type Verdict = Passed | { readonly pass: false; readonly status: 403 | 502; readonly reason: string }

/**
 * Decides about one request, and to which addresses it may connect: those that were looked at, never looked up again.
 * A name that has one address which is not public is refused whole. Never rejects.
 */
export async function decide(target: Target, policy: Policy, surroundings: Surroundings): Promise<Verdict> {
  const name = formatTarget(target)
  const isEndpoint = policy.endpoints.has(name)
  if (!isEndpoint && !isListed(target, policy)) {
    return refuse(
      `${name} is not on this agent's egress list. To reach it, ask the manager to propose ` +
        `${JSON.stringify(target.host)} for "egress" in agent.json; the operator decides.`,
    )
  }
  const addresses = await resolve(target.host, isEndpoint ? surroundings.lookUpEndpoint : surroundings.lookUp)
  if (addresses.length === 0) return { pass: false, status: 502, reason: `${target.host} cannot be resolved.` }
  if (isEndpoint) return { pass: true, addresses, isEndpoint }
  if (addresses.some(isLoopback)) return refuse(`${name} is the host's loopback, which is closed to agents. ${ASK}`)
  if (!addresses.every(isPublicAddress)) return refuse(`${name} is not a public address. ${ASK}`)
  if (addresses.some(surroundings.isInOwnNetwork)) return refuse(`${name} is the host itself or its neighbour. ${ASK}`)
  return { pass: true, addresses, isEndpoint }
}

/** Whether what was let through before may go on under `policy`. Its addresses are the same, so they are as public as they were. */
export const mayGoOn = (target: Target, isEndpoint: boolean, policy: Policy): boolean =>
  isEndpoint ? policy.endpoints.has(formatTarget(target)) : isListed(target, policy)

const isListed = (target: Target, { allow }: Policy): boolean =>
  allow === undefined || allow.some((rule) => matchesRule(rule, target))

const ASK = 'Only the operator can open it, with "endpoints" in hive.json. A server of your own sandbox needs no proxy.'

const refuse = (reason: string): Verdict => ({ pass: false, status: 403, reason })

async function resolve(host: string, lookUp: Surroundings['lookUp']): Promise<readonly string[]> {
  if (isAddress(host)) return [host]
  try {
    return await lookUp(host)
  } catch {
    return [] // Why a name has no address is of no use to who asked.
  }
}

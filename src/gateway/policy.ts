import { isPublicAddress } from './public-address.ts'
import { formatTarget, isAddress, type Target } from './target.ts'

export interface Policy {
  /** `host`, `*.suffix` or `host:port`; undefined: any public address. */
  readonly allow: readonly string[] | undefined
  /** `host:port` that may be reached although it is not public. */
  readonly endpoints: ReadonlySet<string>
}

export type Verdict =
  | { readonly pass: true; readonly addresses: readonly string[] }
  | { readonly pass: false; readonly reason: string; readonly status: 403 | 502 }

export type Resolve = (host: string) => Promise<readonly string[]>

/**
 * Decides about one request, and to which addresses it may connect: those that were looked at, never looked up again.
 * A name that has one address which is not public is refused whole.
 */
export async function decide(target: Target, { allow, endpoints }: Policy, resolve: Resolve): Promise<Verdict> {
  const name = formatTarget(target)
  const isEndpoint = endpoints.has(name)
  if (!isEndpoint && allow !== undefined && !allow.some((rule) => matches(rule, target))) {
    return {
      pass: false,
      status: 403,
      reason: `${name} is not on this agent's egress list; ask the manager to propose it`,
    }
  }
  let addresses: readonly string[]
  try {
    addresses = isAddress(target.host) ? [target.host] : await resolve(target.host)
  } catch {
    return { pass: false, status: 502, reason: `${target.host} cannot be resolved` }
  }
  if (isEndpoint) return { pass: true, addresses }
  if (addresses.length === 0 || !addresses.every(isPublicAddress)) {
    return {
      pass: false,
      status: 403,
      reason: `${name} is not a public address; only the operator can open it (endpoints)`,
    }
  }
  return { pass: true, addresses }
}

function matches(rule: string, { host, port }: Target): boolean {
  const [, name = '', rulePort] = /^(.*?)(?::(\d+))?$/.exec(rule.toLowerCase()) ?? []
  if (rulePort !== undefined && Number(rulePort) !== port) return false
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name
}

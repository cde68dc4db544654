import { parseHost, type Target } from './target.ts'

/** A line of an agent's egress list, read. */
export interface AllowRule {
  readonly host: string
  /** `*.host`: its subdomains, not itself. */
  readonly subdomains: boolean
  /** Undefined: any. */
  readonly port: number | undefined
}

/** Reads `host`, `*.suffix`, either with `:port`, or an address (IPv6 in brackets); undefined when it is none of them. */
export function parseAllowRule(text: string): AllowRule | undefined {
  const match = /^(\*\.)?(\[[0-9a-fA-F:.]+\]|[^:@/?#\s[\]\\*]+)(?::(\d{1,5}))?$/.exec(text)
  if (!match) return undefined
  const host = parseHost(match[2] as string)
  const port = match[3] === undefined ? undefined : Number(match[3])
  if (host === undefined || (port !== undefined && (port < 1 || port > 65535))) return undefined
  return { host, subdomains: match[1] !== undefined, port }
}

/** Whether a request is what the rule means. */
export function matchesRule(rule: AllowRule, { host, port }: Target): boolean {
  if (rule.port !== undefined && rule.port !== port) return false
  return rule.subdomains ? host.endsWith(`.${rule.host}`) : host === rule.host
}

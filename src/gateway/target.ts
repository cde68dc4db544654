import { isIP } from 'node:net'

/** Where a request wants to go: a host name or an address in its usual spelling, lower case, without brackets or final dot. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** A request line of a proxy client: the target, and what is asked of it. */
export type UrlTarget = Target & { readonly path: string }

/** The longest name that DNS knows. */
const MAX_HOST_LENGTH = 253

/** `host:port`, as `CONNECT` and the operator write it; undefined when it is nothing of the kind. */
export function parseAuthority(authority: string): Target | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:@/?#\s[\]\\]+):(\d{1,5})$/.exec(authority)
  if (!match) return undefined
  const host = parseHost(match[1] as string)
  const port = Number(match[2])
  return host !== undefined && port >= 1 && port <= 65535 ? { host, port } : undefined
}

/** The target of `GET http://host/…`; undefined for other schemes and for a URL that carries a name or password. The path is passed on as it was written. */
export function parseAbsoluteUrl(url: string): UrlTarget | undefined {
  const match = /^http:\/\/([^/?#]+)([^#]*)/i.exec(url)
  if (!match) return undefined
  const [, authority, rest] = match as unknown as [string, string, string]
  const target = parseAuthority(/:\d*$/.test(authority) ? authority.replace(/:$/, ':80') : `${authority}:80`)
  return target && { ...target, path: rest.startsWith('/') ? rest : `/${rest}` }
}

/**
 * A host in its one spelling: the URL parser turns odd ones (`127.1`, `0x7f.1`, `2130706433`, full-width digits) into
 * what they mean. Undefined when it is none.
 */
export function parseHost(host: string): string | undefined {
  if (!URL.canParse(`http://${host}/`)) return undefined
  const { hostname } = new URL(`http://${host}/`)
  const name = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  return name === '' || name.length > MAX_HOST_LENGTH ? undefined : name
}

export const isAddress = (host: string): boolean => isIP(host) !== 0

export const formatTarget = ({ host, port }: Target): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

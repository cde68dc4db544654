import { isIP } from 'node:net'

/** Where a request wants to go: a host name or an address in its usual spelling, lower case, without brackets or final dot. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** `host:port`, as `CONNECT` and the operator write it; undefined when it is nothing of the kind. */
export function parseAuthority(authority: string): Target | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:@/?#\s[\]\\]+):(\d{1,5})$/.exec(authority)
  return match ? parseHost(match[1] as string, Number(match[2])) : undefined
}

/** The target of `GET http://host/…`; undefined for other schemes and for a URL that carries a name or password. */
export function parseAbsoluteUrl(url: string): (Target & { readonly path: string }) | undefined {
  if (!/^http:\/\//i.test(url) || !URL.canParse(url)) return undefined
  const { hostname, port, username, password, pathname, search } = new URL(url)
  if (username || password) return undefined
  const target = parseHost(hostname, Number(port || 80))
  return target && { ...target, path: `${pathname}${search}` }
}

/** The URL parser turns odd spellings (`127.1`, `0x7f.1`, `2130706433`, full-width digits) into what they mean. */
function parseHost(host: string, port: number): Target | undefined {
  if (port < 1 || port > 65535 || !URL.canParse(`http://${host}/`)) return undefined
  const { hostname } = new URL(`http://${host}/`)
  const name = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  return name === '' ? undefined : { host: name, port }
}

export const isAddress = (host: string): boolean => isIP(host) !== 0

export const formatTarget = ({ host, port }: Target): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

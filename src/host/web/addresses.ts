import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { errorText, HiveError } from '../../wire/errors.ts'

/** Where the dashboard is to be had, as the operator set it. */
export interface Reach {
  /** Addresses besides those of this machine alone. */
  readonly listen: readonly string[]
  /** `name`, or `name:port` as it stands before a proxy. */
  readonly allowedHosts: readonly string[]
  /** A proxy of the operator's does TLS. */
  readonly trustedProxy: boolean
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
}

/** Certificate and key, PEM. */
export interface Tls {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Reads what `tls` names, if it is set. Throws `bad_input` when that cannot be read or used. */
export function readTls({ tls }: Pick<Reach, 'tls'>): Tls | undefined {
  try {
    if (!tls) return undefined
    const found = { cert: readFileSync(tls.cert), key: readFileSync(tls.key) }
    createSecureContext(found)
    return found
  } catch (cause) {
    throw new HiveError('bad_input', `the files of "tls" cannot be used: ${errorText(cause)}`, { cause })
  }
}

const LOOPBACK = ['127.0.0.1', '::1']
const isLoopback = (address: string): boolean => address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address)
const isWildcard = (address: string): boolean => address === '0.0.0.0' || address === '::'

/** Throws `bad_input` for what is no address, and for one that others reach without anything that hides what is said. */
export function assertReach({ listen, trustedProxy, tls }: Reach): void {
  const wrong = listen.find((address) => isIP(address) === 0)
  if (wrong !== undefined) {
    throw new HiveError('bad_input', `${JSON.stringify(wrong)} is no IP address to listen on`, {
      hint: 'for example --listen 192.168.1.5, or 0.0.0.0 for all; names go into --allowed-host',
    })
  }
  const open = listen.find((address) => !isLoopback(address))
  if (open === undefined || trustedProxy || tls) return
  throw new HiveError('bad_input', `on ${open} everybody on the way could read the token of the dashboard`, {
    hint: 'set "tls": {"cert", "key"} in the config file, or "trustedProxy": true where a proxy before it does TLS',
  })
}

/** The addresses to bind: those of this machine, and what the operator added; one that includes others stands for them. */
export function addressesOf(listen: readonly string[]): string[] {
  const all = [...new Set([...LOOPBACK, ...listen])]
  // On Linux this one takes IPv4 too.
  if (all.includes('::')) return ['::']
  return all.includes('0.0.0.0') ? all.filter((address) => address === '0.0.0.0' || isIP(address) === 6) : all
}

/** How a port may be called in `Host`, and which origins are its own, both in lower case. */
export function namesOf(port: number, reach: Reach): { hosts: Set<string>; origins: Set<string> } {
  const scheme = reach.tls ? 'https' : 'http'
  const isUsual = port === (reach.tls ? 443 : 80)
  const direct = ['localhost', ...LOOPBACK, ...reach.listen.filter((address) => !isWildcard(address))]
  const named = reach.allowedHosts.map((name) => name.toLowerCase())
  const withPort = [...direct.map(inUrl), ...named.filter((name) => !hasPort(name))].map((name) =>
    isUsual ? name : `${name}:${port}`,
  )
  const asGiven = named.filter((name) => hasPort(name) || reach.trustedProxy)
  const hosts = new Set([...withPort, ...asGiven])
  const origins = new Set([...hosts].map((host) => `${scheme}://${host}`))
  if (reach.trustedProxy) for (const host of asGiven) origins.add(`https://${host}`)
  return { hosts, origins }
}

const inUrl = (address: string): string => (isIP(address) === 6 ? `[${address}]` : address)
const hasPort = (name: string): boolean => /:\d+$/.test(name) && !name.endsWith(']')

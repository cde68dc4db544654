import type { ErrorCode } from '../../wire/errors.ts'

/** What of a request is looked at before anything else is done with it. */
export interface RequestHead {
  readonly method: string
  /** As it stands in the request line. */
  readonly target: string
  /** Name, value, name, value, … as they came. */
  readonly rawHeaders: readonly string[]
}

/** Who may come in through one port. */
export interface GateRules {
  /** `host` headers in lower case, with the port where it is not the usual one: names that lead here, and to nobody else. */
  readonly hosts: ReadonlySet<string>
  /** Origins of pages that are ours, in lower case. */
  readonly origins: ReadonlySet<string>
  /** Whether what changes something has to come from such a page; otherwise it may come from no page at all. */
  readonly needsOrigin: boolean
  /** In constant time. */
  readonly isToken: (token: string) => boolean
}

/** Why a request is not let in. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 405 | 415 | 421
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Twice in a request, they would mean one thing to us and another to a proxy before us. */
const ONCE = ['host', 'origin', 'authorization', 'content-type', 'sec-fetch-site']

/** Paths that answer to the token only: data and deeds. The rest is the app, which holds nothing. */
const isGuarded = (path: string): boolean => /^\/(api|events|metrics)(\/|$)/.test(path)

/** Paths that change something: POST and nothing else; all others change nothing, and are read by GET. */
const DEEDS = /^\/api\/(op\/[^/]*|cancel|compact|model)$/

/**
 * Decides whether a request comes in: from whoever has the token, by a name that is ours, and from no page but our own.
 * Undefined lets it in.
 */
export function refuse(head: RequestHead, rules: GateRules): Refusal | undefined {
  const headers = readHeaders(head.rawHeaders)
  const twice = ONCE.find((name) => (headers.get(name)?.length ?? 0) > 1)
  if (twice) return bad(`two ${twice} headers`)
  const header = (name: string) => headers.get(name)?.[0]
  const path = head.target.split('?', 1)[0] as string
  if (!isPlainPath(path)) return bad('the target of the request is no plain path')
  return (
    refuseHost(header('host'), rules) ??
    refuseMethod(head.method, path) ??
    refusePage(head.method, path, header, rules) ??
    refuseBody(head.method, header) ??
    refuseStranger(path, header('authorization'), rules)
  )
}

/**
 * Letters, digits and a few signs; no other form of target (`http://…`, `*`), no way up, no empty part and nothing encoded: so
 * that every part of the daemon reads the same path.
 */
function isPlainPath(path: string): boolean {
  if (path.length > 1024 || !/^\/[\w.~!$&'()*+,;=:@/-]*$/.test(path)) return false
  return !path.split('/').some((part) => part === '.' || part === '..') && !path.includes('//')
}

function readHeaders(raw: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>()
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), raw[at + 1] as string])
  }
  return headers
}

function refuseHost(host: string | undefined, { hosts }: GateRules): Refusal | undefined {
  if (host === undefined) return bad('no host header')
  if (hosts.has(host.toLowerCase())) return undefined
  return {
    status: 421,
    code: 'forbidden',
    message: 'this hive is not known by that name',
    hint: 'hive open prints its link; --allowed-host lets it have another name',
  }
}

function refuseMethod(method: string, path: string): Refusal | undefined {
  const allowed = DEEDS.test(path) ? ['POST'] : isGuarded(path) ? ['GET'] : ['GET', 'HEAD']
  if (allowed.includes(method)) return undefined
  return {
    status: 405,
    code: 'bad_input',
    message: `${method} is not for this path`,
    headers: { allow: allowed.join(', ') },
  }
}

/** What a browser says of where a request comes from. A page of somebody else's gets nothing and does nothing. */
function refusePage(
  method: string,
  path: string,
  header: (name: string) => string | undefined,
  { origins, needsOrigin }: GateRules,
): Refusal | undefined {
  const site = header('sec-fetch-site')
  // A link from elsewhere may lead to the app: what is opened is a page of ours, and shows nobody else anything.
  const isVisit = !isGuarded(path) && header('sec-fetch-mode') === 'navigate' && header('sec-fetch-dest') === 'document'
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isVisit) {
    return foreign(`a page that is not of this hive (${site})`)
  }
  const origin = header('origin')
  if (origin !== undefined && !origins.has(origin.toLowerCase())) return foreign('another origin')
  if (method === 'POST' && origin === undefined && needsOrigin) {
    return foreign(
      'no page at all',
      'programs use the command line, or send an Origin header with the address of the hive',
    )
  }
  return undefined
}

/** Forms of other pages can send anything but JSON. */
function refuseBody(method: string, header: (name: string) => string | undefined): Refusal | undefined {
  if (method !== 'POST') return undefined
  const isJson = /^application\/json *(; *charset="?utf-8"?)?$/i.test(header('content-type') ?? '')
  if (isJson && header('content-encoding') === undefined) return undefined
  return {
    status: 415,
    code: 'bad_input',
    message: 'the body has to be plain JSON',
    hint: 'Content-Type: application/json',
  }
}

function refuseStranger(path: string, authorization: string | undefined, { isToken }: GateRules): Refusal | undefined {
  if (!isGuarded(path)) return undefined
  const token = /^bearer ([\w-]{1,128})$/i.exec(authorization ?? '')?.[1]
  if (token !== undefined && isToken(token)) return undefined
  return {
    status: 401,
    code: 'forbidden',
    message: 'the token is missing, or is not the one of this hive',
    hint: 'hive open gives a link with it',
    headers: { 'www-authenticate': 'Bearer' },
  }
}

const bad = (message: string): Refusal => ({ status: 400, code: 'bad_input', message })

const foreign = (from: string, hint = 'hive open gives the link to its own'): Refusal => ({
  status: 403,
  code: 'forbidden',
  message: `the request comes from ${from}`,
  hint,
})

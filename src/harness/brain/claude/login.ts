import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { LOGINS } from '../../../wire/agent-config.ts'
import { errorText } from '../../../wire/errors.ts'
import type { Account } from './engine.ts'

/** The engine's files that a login is in: of a subscription, and (among much else) the key that the console gave it. */
const CREDENTIALS_FILE = '.credentials.json'
const STATE_FILE = '.claude.json'
export const LOGIN_FILES: readonly string[] = [CREDENTIALS_FILE, STATE_FILE]

const MAX_BYTES = 4 * 1024 * 1024

const Credentials = z.looseObject({
  claudeAiOauth: z
    .looseObject({
      accessToken: z.string(),
      refreshToken: z.string().nullish(),
      expiresAt: z.number().nullish(),
      scopes: z.array(z.string()).nullish(),
    })
    .nullish(),
})
const State = z.looseObject({ primaryApiKey: z.string().nullish() })

/** What the credentials file holds: a login, or why it is none. `expiresAt` in unix ms, when nothing renews it. */
export type Stored =
  | { readonly is: 'login'; readonly expiresAt: number | undefined }
  | { readonly is: 'missing' | 'logged_out' | 'without_scope' }
  | { readonly is: 'unreadable'; readonly why: string }

export interface Login {
  /** A name for all that the engine could log in with; nobody can read it from that. */
  readonly id: string
  readonly stored: Stored
}

/** Reads what an engine with this environment, and these files in its directory, could log in with. */
export function readLogin(configDir: string, env: Readonly<Record<string, string>>): Login {
  const credentials = readFile(join(configDir, CREDENTIALS_FILE))
  const state = readFile(join(configDir, STATE_FILE))
  const key = state.text === undefined ? undefined : parse(State, state.text).value?.primaryApiKey
  const known = [Object.entries(env).sort(), credentials.text ?? credentials.why ?? null, key ?? null]
  return {
    id: createHash('sha256').update(JSON.stringify(known)).digest('hex').slice(0, 32),
    stored: judge(credentials),
  }
}

function judge({ text, why }: FileText): Stored {
  if (why !== undefined) return { is: 'unreadable', why }
  if (text === undefined) return { is: 'missing' }
  const { value, problem } = parse(Credentials, text)
  if (problem !== undefined) return { is: 'unreadable', why: problem }
  const oauth = value?.claudeAiOauth
  if (!oauth || oauth.accessToken === '') return { is: 'logged_out' }
  if (oauth.scopes && !oauth.scopes.includes('user:inference')) return { is: 'without_scope' }
  return { is: 'login', expiresAt: oauth.refreshToken ? undefined : (oauth.expiresAt ?? undefined) }
}

/**
 * Which login an engine with this account uses, in a word, or why it has none. Whether the API accepts it, a turn tells.
 *
 * Measured with Claude Code 2.1.329: ANTHROPIC_API_KEY goes before CLAUDE_CODE_OAUTH_TOKEN, and so does ANTHROPIC_AUTH_TOKEN
 * (both of these are sent when both are set); either goes before the credentials file, and that before the key of the
 * console. It says that it is logged in also with a token that has expired and cannot be renewed, and sends it.
 */
export function describeLogin(account: Account, stored: Stored, now: number): { ok: boolean; detail: string } {
  const { apiKeySource, tokenSource, subscriptionType, apiProvider = 'firstParty' } = account
  if (apiProvider !== 'firstParty') return { ok: true, detail: apiProvider }
  const fromEnv = [apiKeySource, tokenSource].find((source) => source !== undefined && LOGINS.includes(source))
  if (fromEnv) return { ok: true, detail: fromEnv }
  const hasToken = tokenSource !== 'none'
  const isExpired = hasToken && stored.is === 'login' && (stored.expiresAt ?? Number.POSITIVE_INFINITY) <= now
  if (!isExpired && hasToken) return { ok: true, detail: subscriptionType ?? tokenSource ?? apiKeySource ?? 'a login' }
  if (!isExpired && apiKeySource) return { ok: true, detail: apiKeySource }
  return { ok: false, detail: describeLack(stored) }
}

function describeLack(stored: Stored): string {
  switch (stored.is) {
    case 'missing':
      return 'Claude Code has no login'
    case 'logged_out':
      return 'Claude Code was logged out'
    case 'without_scope':
      return 'the login of Claude Code may not ask the model: its scopes lack user:inference'
    case 'unreadable':
      return `the login of Claude Code cannot be read: ${stored.why}`
    case 'login':
      return stored.expiresAt === undefined
        ? 'Claude Code does not take the login that is stored'
        : `the login of Claude Code expired at ${new Date(stored.expiresAt).toISOString()}, and nothing renews it`
  }
}

interface FileText {
  /** Undefined when there is no such file, or when it cannot be read: `why`. */
  readonly text?: string
  readonly why?: string
}

/** The sandbox's own tools may have put anything there: a pipe would be waited on for ever. */
function readFile(path: string): FileText {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const found = fstatSync(file)
    if (!found.isFile()) return { why: 'it is no file' }
    if (found.size > MAX_BYTES) return { why: `it has ${found.size} bytes` }
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    return { why: errorText(error) }
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function parse<T>(schema: z.ZodType<T>, text: string): { value?: T; problem?: string } {
  try {
    const { data, error } = schema.safeParse(JSON.parse(text))
    return error ? { problem: z.prettifyError(error) } : { value: data }
  } catch {
    return { problem: 'it is no JSON' } // What the parser says would quote from it.
  }
}

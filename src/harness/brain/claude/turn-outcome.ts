import type { TurnEnd, TurnReason, TurnUsage } from '../../../wire/turn.ts'
import type { ProcessExit } from './claude-process.ts'
import type { Result, StopCause, TurnFacts } from './turn-facts.ts'

const MAX_DETAIL = 500

const STOPPED: Record<StopCause, string> = {
  interrupted: 'interrupted',
  hang: 'claude gave no sign for too long',
  auth: 'the API refused the login',
}

/** What the engine calls an error → why the turn ended, where the name alone decides. */
const REASONS: Readonly<Record<string, TurnReason>> = {
  authentication_failed: 'auth',
  oauth_org_not_allowed: 'auth',
  cloud_credential_error: 'auth',
  billing_error: 'billing',
  // Only the operator can settle these, and not by a login.
  account_on_hold: 'billing',
  verification_required: 'billing',
  overloaded: 'overloaded',
  invalid_request: 'refused',
  model_not_found: 'refused',
  max_output_tokens: 'error',
}

/** The context cannot be made to fit by the engine itself. */
const TOO_LONG = ['prompt_too_long', 'blocking_limit', 'rapid_refill_breaker']

/**
 * How a turn ended. `exit`: the engine's process is gone. `usage`: what it used.
 * A turn that reached its own end has ended so, even if we were about to stop it.
 */
export function decideTurnEnd(
  facts: TurnFacts,
  { exit, usage }: { exit?: ProcessExit; usage?: TurnUsage } = {},
): TurnEnd {
  const { result, stopped, unreadable, quota } = facts
  if (result && !isAborted(result)) {
    const reason = result.is_error ? nameError(facts, result) : 'ok'
    const text = result.result || result.errors?.join('; ') || result.subtype
    const detail = text.trim().replaceAll(/\s+/g, ' ').slice(0, MAX_DETAIL)
    return { reason, detail, usage, ...(reason === 'quota' && { resetsAt: quota?.resetsAt }) }
  }
  if (stopped) return { reason: stopped, detail: STOPPED[stopped], usage }
  if (exit) return { reason: 'crash', detail: describeExit(exit), usage }
  if (unreadable) return { reason: 'error', detail: `claude said what cannot be read: ${unreadable}`, usage }
  return { reason: 'error', detail: 'the turn was broken off, and not by us', usage }
}

const isAborted = ({ terminal_reason: reason }: Result): boolean => reason?.startsWith('aborted') ?? false

function nameError(
  { error, quota }: TurnFacts,
  { terminal_reason: terminal, api_error_status: status }: Result,
): TurnReason {
  if (terminal && TOO_LONG.includes(terminal)) return 'prompt_too_long'
  if (error === 'rate_limit') return quota ? 'quota' : 'overloaded'
  const known = error === undefined ? undefined : REASONS[error]
  if (known) return known
  if (typeof status === 'number') return status >= 500 || status === 408 || status === 429 ? 'overloaded' : 'refused'
  // An error of the API without a status: no answer arrived.
  return error === undefined ? 'error' : 'network'
}

/** In words, with the last that the process had to say. */
export function describeExit({ code, signal, complaint }: ProcessExit): string {
  const how = signal ? `killed by ${signal}` : code === null ? 'it cannot be run' : `exit code ${code}`
  return `claude ended: ${how}${complaint ? `: ${complaint.slice(-MAX_DETAIL)}` : ''}`
}

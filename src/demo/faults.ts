/** An answer that is no message: the status and error of the real API. */
export interface HttpFault {
  readonly status: number
  readonly type: string
  readonly message: string
}

const USAGE_LIMIT = `This request would exceed your account's rate limit. Please try again later.`

/** Faults that replace the reply. */
export const HTTP_FAULTS = {
  bad_request: { status: 400, type: 'invalid_request_error', message: 'messages.0: some validation problem' },
  prompt_too_long: {
    status: 400,
    type: 'invalid_request_error',
    message: 'prompt is too long: 210000 tokens > 200000 maximum',
  },
  credit: {
    status: 400,
    type: 'invalid_request_error',
    message:
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
  },
  unauthorized: { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
  forbidden: { status: 403, type: 'permission_error', message: 'Your account does not have access' },
  no_such_model: { status: 404, type: 'not_found_error', message: 'model: not found' },
  too_large: { status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' },
  rate_limited: { status: 429, type: 'rate_limit_error', message: 'Number of requests has exceeded your rate limit' },
  quota: { status: 429, type: 'rate_limit_error', message: USAGE_LIMIT },
  server_error: { status: 500, type: 'api_error', message: 'Internal server error' },
  overloaded: { status: 529, type: 'overloaded_error', message: 'Overloaded' },
} as const satisfies Record<string, HttpFault>
export type HttpFaultName = keyof typeof HTTP_FAULTS

/**
 * Faults on the wire. reset: the connection ends before any answer. drop: it ends in the middle of the stream.
 * mid_error: the stream carries an error event. stall: it falls silent.
 */
export const STREAM_FAULTS = ['reset', 'drop', 'mid_error', 'stall'] as const
export type StreamFaultName = (typeof STREAM_FAULTS)[number]

/** Replies that end for another reason than that the model was done. */
export const STOP_FAULTS = ['refuse', 'max_tokens'] as const
export type StopFaultName = (typeof STOP_FAULTS)[number]

export type FaultName = HttpFaultName | StreamFaultName | StopFaultName
export const FAULT_NAMES: readonly FaultName[] = [
  ...(Object.keys(HTTP_FAULTS) as HttpFaultName[]),
  ...STREAM_FAULTS,
  ...STOP_FAULTS,
]

export const isHttpFault = (name: FaultName): name is HttpFaultName => name in HTTP_FAULTS

export const LIMIT_CLAIMS = ['five_hour', 'seven_day', 'seven_day_opus'] as const
export type LimitClaim = (typeof LIMIT_CLAIMS)[number]

/** How long a plain 429 asks to wait, and a usage limit lasts, when the scenario does not say. */
const RETRY_AFTER_SECONDS = 1
const LIMIT_SECONDS = 3600

/** The headers that come with a fault. `now` in unix milliseconds. */
export function faultHeaders(
  name: HttpFaultName,
  { retryAfterSeconds, resetsInSeconds = LIMIT_SECONDS, claim = 'five_hour' }: FaultDetails,
  now: number,
): Record<string, string> {
  if (name === 'rate_limited') return { 'retry-after': String(retryAfterSeconds ?? RETRY_AFTER_SECONDS) }
  if (name !== 'quota') return {}
  const reset = String(Math.floor(now / 1000) + resetsInSeconds)
  return {
    'retry-after': String(retryAfterSeconds ?? resetsInSeconds),
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': reset,
    'anthropic-ratelimit-unified-representative-claim': claim,
    'anthropic-ratelimit-unified-fallback': 'unavailable',
    'anthropic-ratelimit-unified-overage-status': 'rejected',
    'anthropic-ratelimit-unified-overage-disabled-reason': 'org_level_disabled',
  }
}

export interface FaultDetails {
  readonly message?: string
  readonly retryAfterSeconds?: number
  readonly resetsInSeconds?: number
  readonly claim?: LimitClaim
}

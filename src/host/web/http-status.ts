import type { ErrorCode } from '../../wire/errors.ts'

/** What a browser learns from an error besides what it says. */
export const STATUS_OF_ERROR = {
  bad_input: 400,
  unknown_op: 404,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  stale_lease: 409,
  rate_limited: 429,
  inbox_full: 409,
  chain_paused: 409,
  too_large: 413,
  too_many: 429,
  disk_full: 507,
  unavailable: 503,
  unreachable: 502,
  timeout: 504,
  cancelled: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>

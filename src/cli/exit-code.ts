import type { ErrorCode } from '../wire/errors.ts'

export const EXIT = { ok: 0, failed: 1, usage: 2, notFound: 3, unreachable: 4, conflict: 5, interrupted: 130 } as const

/** What a program that calls `hive` learns from an error. */
export const EXIT_OF_ERROR = {
  bad_input: EXIT.usage,
  unknown_op: EXIT.failed,
  forbidden: EXIT.failed,
  not_found: EXIT.notFound,
  conflict: EXIT.conflict,
  stale_lease: EXIT.conflict,
  rate_limited: EXIT.failed,
  inbox_full: EXIT.failed,
  chain_paused: EXIT.conflict,
  too_large: EXIT.usage,
  too_many: EXIT.failed,
  disk_full: EXIT.failed,
  unavailable: EXIT.failed,
  unreachable: EXIT.unreachable,
  timeout: EXIT.failed,
  cancelled: EXIT.interrupted,
  internal: EXIT.failed,
} as const satisfies Record<ErrorCode, number>

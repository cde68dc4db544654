import { z } from 'zod'

/** Every error that crosses a boundary carries one of these codes; surfaces translate them (exit code, HTTP status, tool text). */
export const ErrorCode = z.enum([
  'bad_input',
  'unknown_op',
  'forbidden',
  'not_found',
  'conflict',
  'stale_lease',
  'rate_limited',
  'inbox_full',
  'chain_paused',
  'too_large',
  'too_many',
  'disk_full',
  'unavailable',
  'unreachable',
  'timeout',
  'cancelled',
  'internal',
])
export type ErrorCode = z.infer<typeof ErrorCode>

export const WireError = z.object({ code: ErrorCode, message: z.string(), hint: z.string().optional() })
export type WireError = z.infer<typeof WireError>

export { errorText, HiveError, isFullDisk } from './hive-error.ts'

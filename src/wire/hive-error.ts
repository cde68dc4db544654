// Apart from the schemas, so that what runs beside a page in a browser can do without zod.
import type { ErrorCode, WireError } from './errors.ts'

/**
 * The one error class of the project. Thrown in the domain, translated once per edge.
 * `message` is one factual line, `hint` the next step for whoever reads it.
 */
export class HiveError extends Error {
  override readonly name = 'HiveError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, { hint, cause }: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause })
    this.code = code
    this.hint = hint
  }

  /** The shape sent over a socket. */
  toWire(): WireError {
    return { code: this.code, message: this.message, ...(this.hint && { hint: this.hint }) }
  }

  static fromWire(error: WireError): HiveError {
    return new HiveError(error.code, error.message, { hint: error.hint })
  }
}

/** The text of anything thrown. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Whether something failed since there is no space left, by itself or through what it needed. */
export const isFullDisk = (error: unknown): boolean =>
  error instanceof Error &&
  (['disk_full', 'ENOSPC'].includes(String((error as { code?: unknown }).code)) || isFullDisk(error.cause))

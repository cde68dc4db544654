import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RequestEntry } from './exchange.ts'

/** Per agent; twice as much is kept. */
const MAX_BYTES = 8 * 1024 * 1024

export interface RequestLogOptions {
  readonly directory: string
  readonly maxBytes?: number
  readonly now?: () => Date
}

/**
 * Appends a JSON line per request to `<directory>/<agent>.jsonl`, a file per agent, so that none can push another's
 * lines out; what is over the size goes to `.jsonl.1`. Throws what the file system throws.
 */
export function createRequestLog({ directory, maxBytes = MAX_BYTES, now = () => new Date() }: RequestLogOptions) {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return (agent: string, entry: RequestEntry): void => {
    const file = join(directory, `${agent}.jsonl`)
    const line = `${JSON.stringify({ time: now().toISOString(), agent, ...entry })}\n`
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (size > 0 && size + Buffer.byteLength(line) > maxBytes) renameSync(file, `${file}.1`)
    appendFileSync(file, line, { mode: 0o600 })
  }
}

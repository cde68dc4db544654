import { appendFileSync, existsSync, renameSync, statSync } from 'node:fs'
import type { RequestEntry } from './proxy.ts'

const MAX_BYTES = 16 * 1024 * 1024

/** Appends a JSON line per request; what is over its size goes to `.1`. */
export function createRequestLog(file: string, now: () => Date = () => new Date()) {
  let bytes = existsSync(file) ? statSync(file).size : 0
  return (agent: string, entry: RequestEntry): void => {
    const line = `${JSON.stringify({ time: now().toISOString(), agent, ...entry })}\n`
    if (bytes + line.length > MAX_BYTES) {
      renameSync(file, `${file}.1`)
      bytes = 0
    }
    appendFileSync(file, line, { mode: 0o600 })
    bytes += line.length
  }
}

import { z } from 'zod'

/** What bwrap wrote about a life: to a file, so that it is there whoever was alive to see it. */
export interface BwrapStatus {
  /** The sandbox's init, in the host's numbering. */
  readonly initPid?: number
  /** 128 + n when the payload was killed by signal n; absent while it runs and when it never did. */
  readonly exitCode?: number
}

const Line = z.object({ 'child-pid': z.number().int().positive(), 'exit-code': z.number().int().min(0) }).partial()

/** Reads the JSON lines of a status file; a last line that is not finished yet counts as absent. Throws on anything else. */
export function parseStatus(text: string): BwrapStatus {
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => Line.parse(JSON.parse(line)))
  return {
    initPid: lines.find((line) => line['child-pid'] !== undefined)?.['child-pid'],
    exitCode: lines.find((line) => line['exit-code'] !== undefined)?.['exit-code'],
  }
}

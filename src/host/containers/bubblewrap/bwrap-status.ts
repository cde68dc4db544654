import { z } from 'zod'

/** What bwrap wrote about a life: to a file, so that it is there whoever was alive to see it. */
export interface BwrapStatus {
  /** The sandbox's init, in the host's numbering. */
  readonly initPid?: number
  /** 0 to 255; 128 + n when the payload was killed by signal n; absent while it runs and when it never did. */
  readonly exitCode?: number
}

/** The init, which tells the exit code, is the agent's own process: it may tell any number. */
const Line = z.object({ 'child-pid': z.number().int().positive(), 'exit-code': z.number().int() }).partial()

/** Reads the JSON lines of a status file; a last line that is not finished yet counts as absent. Throws on anything else. */
export function parseStatus(text: string): BwrapStatus {
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => Line.parse(JSON.parse(line)))
  const exitCode = lines.find((line) => line['exit-code'] !== undefined)?.['exit-code']
  return {
    initPid: lines.find((line) => line['child-pid'] !== undefined)?.['child-pid'],
    exitCode: exitCode === undefined ? undefined : exitCode & 0xff,
  }
}

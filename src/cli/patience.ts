import type { Cli, GlobalFlags } from './cli.ts'
import { isForPeople, say } from './show.ts'

/** How long people wait without asking themselves whether anything happens. */
const PATIENCE_MS = 1000

/** Waits for `work`; calls `say` once when that takes longer than a second. */
export async function waitPatiently<T>(work: Promise<T>, say: () => void): Promise<T> {
  const timer = setTimeout(say, PATIENCE_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}

/** The same; tells people on a terminal what is waited for. */
export const sayWhileWaiting = <T>(
  cli: Cli,
  flags: GlobalFlags & { quiet?: boolean },
  what: string,
  work: Promise<T>,
): Promise<T> =>
  waitPatiently(work, () => {
    if (isForPeople(cli, flags)) say(cli, `hive: waiting for ${what}`)
  })

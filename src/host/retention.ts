import type { Log } from '../kit/log.ts'
import { errorText } from '../wire/errors.ts'
import type { Store } from './broker/store.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Messages are kept so long after they were done; those that are not done, for ever. */
export const KEEP_DONE_MS = 30 * DAY_MS
const EVERY_MS = 60 * 60 * 1000
/** Deleted in one commit: others wait for it. */
const STEP = 500

/** Deletes what was done long ago, now and every hour, in steps that let others in between. */
export function startRetention(store: Store, log: Log, now: () => number = Date.now): Disposable {
  let ended = false
  const sweep = async () => {
    try {
      for (let deleted = STEP; deleted === STEP && !ended; ) {
        deleted = await store.vacuum(now() - KEEP_DONE_MS, STEP)
        if (deleted > 0) log.info({ deleted }, 'deleted old messages')
      }
    } catch (error) {
      if (!ended) log.error({ error: errorText(error) }, 'the sweep over old messages failed')
    }
  }
  const timer = setInterval(() => void sweep(), EVERY_MS)
  void sweep()
  return {
    [Symbol.dispose]() {
      ended = true
      clearInterval(timer)
    },
  }
}

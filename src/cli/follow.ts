import { setTimeout as sleep } from 'node:timers/promises'
import { type HostClient, type HostConnection, isUnreachable } from './daemon-client.ts'

/** How long one call waits for news, in seconds. */
export const FOLLOW_WAIT_SECONDS = 30
const RETRY_MS = { first: 100, longest: 5_000 }

export interface FollowOptions<P> {
  readonly connect: () => Promise<HostConnection>
  /** Gives what came after the cursor, waiting for it; without a cursor the newest. */
  readonly fetch: (call: HostClient, after: number | undefined) => Promise<P>
  /** Told when the daemon went away, and when it is back. */
  readonly onGap: (what: 'lost' | 'back' | 'anew') => void
}

/**
 * Pages of something that grows, for ever, each change once: the cursor outlives the daemon, which may restart.
 * Throws `unreachable` only when there is no daemon at the beginning.
 */
export async function* followPages<P extends { cursor: number }>(options: FollowOptions<P>): AsyncGenerator<P, never> {
  const { fetch, onGap } = options
  let connection = await options.connect()
  let after: number | undefined
  try {
    for (;;) {
      let page: P
      try {
        page = await fetch(connection.call, after)
      } catch (error) {
        if (!isUnreachable(error)) throw error
        onGap('lost')
        connection = await reconnect(options.connect)
        onGap('back')
        if (after !== undefined && (await isAnew(connection, fetch, after))) {
          after = undefined
          onGap('anew')
        }
        continue
      }
      after = page.cursor
      yield page
    }
  } finally {
    connection.close()
  }
}

/** Connects again to a daemon that went away, for as long as it takes. */
export async function reconnect(connect: () => Promise<HostConnection>): Promise<HostConnection> {
  for (let delayMs = RETRY_MS.first; ; delayMs = Math.min(2 * delayMs, RETRY_MS.longest)) {
    try {
      return await connect()
    } catch (error) {
      if (!isUnreachable(error)) throw error
      await sleep(delayMs)
    }
  }
}

/** Whether this is another hive at the same place: its newest cursor is older than ours, which would wait for ever. */
async function isAnew<P extends { cursor: number }>(
  connection: HostConnection,
  fetch: FollowOptions<P>['fetch'],
  after: number,
): Promise<boolean> {
  try {
    return (await fetch(connection.call, undefined)).cursor < after
  } catch (error) {
    if (isUnreachable(error)) return false // Gone again: the next round finds out.
    throw error
  }
}

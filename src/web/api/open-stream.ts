import type { Origin } from './call.ts'
import type { Connection } from './connection.ts'
import { HiveStream, type Stream } from './hive-stream.ts'
import { SharedStream } from './shared-stream.ts'

/** The stream that all tabs of this browser share; one of this tab's own where the browser has no shared workers. */
export function openStream(origin: Origin, onConnection: (connection: Connection) => void): Stream {
  const openOwn = () => new HiveStream({ origin, onConnection })
  if (typeof SharedWorker === 'undefined') return openOwn()
  const worker = new SharedWorker(new URL('./stream-worker.ts', import.meta.url), { type: 'module' })
  const stream = new SharedStream({ port: worker.port, onConnection, openOwn })
  worker.onerror = () => stream.fallBack()
  holdLock((lock) => stream.hello(origin.token, lock))
  addEventListener('pagehide', () => stream[Symbol.dispose]())
  // It was put aside whole, and has missed what came since.
  addEventListener('pageshow', ({ persisted }) => persisted && location.reload())
  return stream
}

/** Holds a lock of its own until this tab is gone; beyond localhost without TLS browsers have none. */
function holdLock(then: (lock: string | undefined) => void): void {
  if (!navigator.locks) {
    then(undefined)
    return
  }
  const lock = `hive-tab-${crypto.randomUUID()}`
  void navigator.locks.request(lock, () => {
    then(lock)
    return new Promise(() => {})
  })
}

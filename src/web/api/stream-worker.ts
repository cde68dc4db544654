import { HiveStream } from './hive-stream.ts'
import { StreamHub } from './stream-hub.ts'
import type { ToWorker } from './stream-protocol.ts'

/** What of the scope of a shared worker is used; the types of a page do not know it. */
interface SharedWorkerScope {
  onconnect: ((event: MessageEvent) => void) | null
}

const hub = new StreamHub(
  (token, onConnection) =>
    new HiveStream({ origin: { token, fetch: (...request) => fetch(...request) }, onConnection }),
)

;(self as unknown as SharedWorkerScope).onconnect = ({ ports: [port] }) => {
  if (!port) return
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    hub.take(port, data)
    // Granted when the tab is gone, however it went.
    if (data.do === 'hello' && data.lock !== undefined) void navigator.locks.request(data.lock, () => hub.drop(port))
  }
}

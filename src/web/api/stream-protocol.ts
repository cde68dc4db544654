import type { Frame } from '../../wire/frames.ts'
import type { Connection } from './connection.ts'

/** What a tab tells the worker that has the stream of all tabs. Both are of one build: nothing needs to be parsed. */
export type ToWorker =
  /** The first. `lock`: a lock that the tab holds for as long as it lives, where the browser has locks. */
  | { readonly do: 'hello'; readonly token: string; readonly lock: string | undefined }
  | { readonly do: 'follow'; readonly topic: string }
  | { readonly do: 'leave'; readonly topic: string }
  | { readonly do: 'retry' }
  | { readonly do: 'bye' }

export type FromWorker =
  | { readonly tell: 'connection'; readonly connection: Connection }
  /** Everything of the topic comes from now on: what was before is to be fetched. */
  | { readonly tell: 'began'; readonly topic: string }
  | { readonly tell: 'frame'; readonly topic: string; readonly frame: Frame }
  /** The stream has as many topics as it can have. */
  | { readonly tell: 'full'; readonly topic: string }

/** A tab as the worker sees it. */
export interface Tab {
  postMessage(message: FromWorker): void
}

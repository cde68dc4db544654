import type { ServerResponse } from 'node:http'
import { HiveError } from '../../wire/errors.ts'
import type { Positions } from '../../wire/frames.ts'
import type { Broker } from '../broker/broker.ts'
import type { EventStore } from '../events/event-store.ts'
import type { HiveFeed } from './hive-feed.ts'
import { eventSource, messageSource, type Source, stateSource } from './sources.ts'
import { writeStream } from './stream.ts'

export interface StreamsOptions {
  readonly feed: HiveFeed
  readonly broker: Broker
  readonly events: EventStore
  /** Throws `not_found`. */
  readonly assertAgent: (agent: string) => void
  readonly onInternalError: (error: unknown, what: string) => void
}

const MAX_STREAMS = 128

/** The streams that browsers hold. */
export class Streams {
  readonly #options: StreamsOptions
  #open = 0
  #cutting = new AbortController()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Writes a stream of topics until its reader is gone or all are cut. Throws `too_many`, `not_found` before anything is written. */
  async serve(outgoing: ServerResponse, topics: readonly string[], after: Positions): Promise<void> {
    if (this.#open >= MAX_STREAMS) throw new HiveError('too_many', `${MAX_STREAMS} streams are open`)
    const sources = new Map(topics.map((topic) => [topic, this.#sourceOf(topic)]))
    const { onInternalError } = this.#options
    this.#open += 1
    try {
      await writeStream({ outgoing, sources, after, signal: this.#cutting.signal })
    } catch (error) {
      // The answer has begun: it can only end. Its reader comes again.
      onInternalError(error, 'stream')
    } finally {
      this.#open -= 1
      outgoing.destroy()
    }
  }

  /** Ends every stream; readers that still may come again go on where they were. */
  cut(): void {
    this.#cutting.abort()
    this.#cutting = new AbortController()
  }

  #sourceOf(topic: string): Source {
    const { feed, broker, events, assertAgent } = this.#options
    if (topic === 'state') return stateSource(feed)
    if (topic === 'messages') return messageSource(broker)
    const agent = topic.slice('events:'.length)
    assertAgent(agent)
    return eventSource(events, agent)
  }
}

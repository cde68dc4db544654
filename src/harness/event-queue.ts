import { type LiveEvent, MAX_EVENT_BYTES } from '../wire/events.ts'

interface Numbered {
  readonly n: number
  readonly at: number
  readonly event: LiveEvent
}

export interface EventQueueOptions {
  /** Stores a batch; rejects when it could not and never will. */
  readonly send: (events: Numbered[]) => Promise<void>
  /** What is kept while the daemon is away. */
  readonly maxBytes?: number
  readonly now?: () => number
}

const BATCH = { events: 200, bytes: 512 * 1024 }

/** Numbers events and brings them to the daemon in order; what does not fit while it is away becomes one `gap`. */
export class EventQueue {
  readonly #send: (events: Numbered[]) => Promise<void>
  readonly #maxBytes: number
  readonly #now: () => number
  #waiting: { numbered: Numbered; bytes: number }[] = []
  #bytes = 0
  #lost = 0
  #n = 0
  #sending: Promise<void> | undefined

  constructor({ send, maxBytes = 8 * 1024 * 1024, now = Date.now }: EventQueueOptions) {
    this.#send = send
    this.#maxBytes = maxBytes
    this.#now = now
  }

  push(event: LiveEvent): void {
    const cut = cutEvent(event)
    const bytes = JSON.stringify(cut).length
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#lost += 1
      return
    }
    if (this.#lost > 0) {
      const lost = this.#lost
      this.#lost = 0
      this.push({ kind: 'gap', lost })
    }
    this.#n += 1
    this.#waiting.push({ numbered: { n: this.#n, at: this.#now(), event: cut }, bytes })
    this.#bytes += bytes
    this.#sending ??= this.#drain()
  }

  /** Resolves when everything pushed so far was stored or given up. */
  async flush(): Promise<void> {
    await this.#sending
  }

  async #drain(): Promise<void> {
    // Events of one event-loop turn travel together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      await this.#send(batch.map(({ numbered }) => numbered))
      this.#bytes -= batch.reduce((sum, { bytes }) => sum + bytes, 0)
    }
    this.#sending = undefined
  }

  #takeBatch(): { numbered: Numbered; bytes: number }[] {
    let bytes = 0
    let count = 0
    for (const one of this.#waiting.slice(0, BATCH.events)) {
      if (count > 0 && bytes + one.bytes > BATCH.bytes) break
      bytes += one.bytes
      count += 1
    }
    return this.#waiting.splice(0, count)
  }
}

/** Cuts long strings, images among them, until the event fits; says how long they were. */
export function cutEvent(event: LiveEvent): LiveEvent {
  for (
    let longest = 64 * 1024;
    JSON.stringify(event).length > MAX_EVENT_BYTES / 2 && longest > 16;
    longest = longest >> 1
  ) {
    event = cutStrings(event, longest) as LiveEvent
  }
  return event
}

function cutStrings(value: unknown, longest: number): unknown {
  if (typeof value === 'string') {
    return value.length <= longest ? value : `${value.slice(0, longest)}… [cut: ${value.length} characters]`
  }
  if (Array.isArray(value)) return value.map((item) => cutStrings(item, longest))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutStrings(item, longest)]))
}

import { type LiveEvent, MAX_EVENT_BYTES } from '../wire/events.ts'

interface Numbered {
  readonly n: number
  readonly at: number
  readonly event: LiveEvent
}

export interface EventQueueOptions {
  /** Stores a batch, however long the daemon is away; rejects when it never will. */
  readonly send: (events: Numbered[]) => Promise<void>
  /** What is kept while the daemon is away. */
  readonly maxBytes?: number
  readonly now?: () => number
}

const BATCH = { events: 200, bytes: 512 * 1024 }

/** Numbers events and brings them to the daemon in order; what does not fit while it is away or is refused becomes one `gap`. */
export class EventQueue {
  readonly #send: (events: Numbered[]) => Promise<void>
  readonly #maxBytes: number
  readonly #now: () => number
  #waiting: { numbered: Numbered; bytes: number }[] = []
  #bytes = 0
  /** To be told with the next event that is kept. */
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
    const bytes = sizeOf(cut)
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#lost += lossOf(cut)
      return
    }
    this.#tellLoss()
    this.#n += 1
    this.#waiting.push({ numbered: { n: this.#n, at: this.#now(), event: cut }, bytes })
    this.#bytes += bytes
    this.#sending ??= this.#drain()
  }

  /** Resolves when everything pushed so far was stored or given up. */
  async flush(): Promise<void> {
    await this.#sending
  }

  #tellLoss(): void {
    if (this.#lost === 0) return
    const lost = this.#lost
    this.#lost = 0
    this.push({ kind: 'gap', lost })
  }

  async #drain(): Promise<void> {
    // Events of one event-loop turn travel together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch()
      const isStored = await this.#store(batch.map(({ numbered }) => numbered))
      this.#bytes -= batch.reduce((sum, { bytes }) => sum + bytes, 0)
      // After a refusal it waits for the next event: it might be refused again, for ever.
      if (isStored && this.#waiting.length === 0) this.#tellLoss()
    }
    this.#sending = undefined
  }

  async #store(batch: Numbered[]): Promise<boolean> {
    try {
      await this.#send(batch)
      return true
    } catch {
      // Whoever reads the events learns of it by the gap.
      for (const { event } of batch) this.#lost += lossOf(event)
      return false
    }
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

/** Bytes, as a line on a socket is measured. */
const sizeOf = (event: LiveEvent): number => Buffer.byteLength(JSON.stringify(event))

/** How many events are lost with this one. */
const lossOf = (event: LiveEvent): number => (event.kind === 'gap' ? event.lost : 1)

/**
 * Cuts long strings, images among them, until the event fits; says how long they were. One that is large without them
 * becomes a note of its size.
 */
export function cutEvent(event: LiveEvent): LiveEvent {
  const fits = (one: LiveEvent): boolean => sizeOf(one) <= MAX_EVENT_BYTES / 2
  let cut = event
  for (let longest = 64 * 1024; !fits(cut) && longest > 16; longest = longest >> 1) {
    cut = cutStrings(event, longest) as LiveEvent
  }
  if (fits(cut)) return cut
  const name = event.kind === 'stream' ? `stream event (${String(event.value.type)})` : event.kind
  return { kind: 'note', level: 'warn', text: `a ${name} of ${sizeOf(event)} bytes was too large to keep` }
}

function cutStrings(value: unknown, longest: number): unknown {
  if (typeof value === 'string') {
    return value.length <= longest ? value : `${value.slice(0, longest)}… [cut: ${value.length} characters]`
  }
  if (Array.isArray(value)) return value.map((item) => cutStrings(item, longest))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutStrings(item, longest)]))
}

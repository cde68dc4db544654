import { MAX_TOPICS } from '../../wire/frames.ts'
import type { Connection } from './connection.ts'
import type { Follower, Stream } from './hive-stream.ts'
import type { Tab, ToWorker } from './stream-protocol.ts'

interface Topic {
  readonly tabs: Set<Tab>
  readonly leave: () => void
  isOpen: boolean
}

type OpenStream = (token: string, onConnection: (connection: Connection) => void) => Stream

/** One stream for all tabs of a browser: six of their own would leave no connection for anything else. */
export class StreamHub {
  readonly #openStream: OpenStream
  readonly #tabs = new Set<Tab>()
  readonly #topics = new Map<string, Topic>()
  #stream: { readonly token: string; readonly stream: Stream } | undefined
  #connection: Connection = { is: 'connecting', failures: 0 }

  constructor(openStream: OpenStream) {
    this.#openStream = openStream
  }

  /** Does what a tab says. */
  take(tab: Tab, message: ToWorker): void {
    switch (message.do) {
      case 'hello':
        this.#tabs.add(tab)
        this.#takeToken(message.token)
        tab.postMessage({ tell: 'connection', connection: this.#connection })
        return
      case 'follow':
        this.#follow(tab, message.topic)
        return
      case 'leave':
        this.#leave(tab, message.topic)
        return
      case 'retry':
        this.#stream?.stream.retry()
        return
      case 'bye':
        this.drop(tab)
    }
  }

  /** Forgets a tab that is gone. */
  drop(tab: Tab): void {
    this.#tabs.delete(tab)
    for (const topic of [...this.#topics.keys()]) this.#leave(tab, topic)
  }

  /** A new link opens a new stream: the old token may open nothing any more. */
  #takeToken(token: string): void {
    if (this.#stream?.token === token) return
    this.#stream?.stream[Symbol.dispose]()
    const stream = this.#openStream(token, (connection) => {
      if (this.#stream?.stream !== stream) return
      this.#connection = connection
      for (const tab of this.#tabs) tab.postMessage({ tell: 'connection', connection })
    })
    this.#stream = { token, stream }
    for (const [name, { tabs }] of [...this.#topics]) this.#open(name, tabs)
  }

  #follow(tab: Tab, name: string): void {
    const topic = this.#topics.get(name)
    if (topic) {
      topic.tabs.add(tab)
      if (topic.isOpen) tab.postMessage({ tell: 'began', topic: name })
    } else if (this.#topics.size < MAX_TOPICS) this.#open(name, new Set([tab]))
    else tab.postMessage({ tell: 'full', topic: name })
  }

  #open(name: string, tabs: Set<Tab>): void {
    if (!this.#stream) return
    const begin = () => {
      for (const tab of tabs) tab.postMessage({ tell: 'began', topic: name })
    }
    const follower: Follower = {
      load: async () => {
        // Again, after it had begun: something in between cannot be told.
        if (topic.isOpen) begin()
        return undefined
      },
      opened: () => {
        if (topic.isOpen) return
        topic.isOpen = true
        begin()
      },
      take: (frame) => {
        for (const tab of tabs) tab.postMessage({ tell: 'frame', topic: name, frame })
      },
    }
    const topic: Topic = { tabs, isOpen: false, leave: this.#stream.stream.follow(name, follower) }
    this.#topics.set(name, topic)
  }

  #leave(tab: Tab, name: string): void {
    const topic = this.#topics.get(name)
    if (!topic?.tabs.delete(tab) || topic.tabs.size > 0) return
    this.#topics.delete(name)
    topic.leave()
  }
}

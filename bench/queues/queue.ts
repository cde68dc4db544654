/** A durable message queue between one sender and one receiver: what the broker is compared on. */
export interface Queue extends AsyncDisposable {
  readonly name: string
  /** Of the server, for its memory and processor time. */
  readonly pid: number
  /** What a client process needs to reach it; plain data, since it crosses to another process. */
  readonly address: QueueAddress
}

export interface QueueAddress {
  readonly kind: 'hive' | 'redis' | 'postgres'
  readonly socket: string
}

export interface Sender {
  /** Resolves when the message is on disk. */
  send(body: string): Promise<void>
  close(): Promise<void>
}

export interface Received {
  readonly id: number | string
  readonly body: string
}

export interface Receiver {
  /** Waits for the next message; takes up to `most` of those that are there. */
  receive(most: number): Promise<readonly Received[]>
  /** Resolves when it is on disk that they are done. */
  ack(messages: readonly Received[]): Promise<void>
  close(): Promise<void>
}

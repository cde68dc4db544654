import { createNotifier } from '../../kit/notifier.ts'
import { HiveError } from '../../wire/errors.ts'
import type { Shell, Size } from './shell.ts'
import { UnreadBytes } from './unread-bytes.ts'

/** So much waits for its reader; then the shell is not read, and what runs in it halts. */
const MAX_UNREAD_BYTES = 256 * 1024
const MAX_UNWRITTEN_BYTES = 256 * 1024

export interface TerminalOptions {
  readonly agent: string
  readonly shell: Shell
  /** Once nobody has read it for so long, `onIdle` is called. */
  readonly idleMs: number
  readonly onIdle: () => void
  /** Most bytes that one read gives. */
  readonly maxReadBytes: number
}

/** One open shell and what it wrote. */
export class Terminal {
  readonly agent: string
  readonly #shell: Shell
  readonly #unread = new UnreadBytes(MAX_UNREAD_BYTES)
  readonly #changes = createNotifier()
  readonly #options: TerminalOptions
  #ended: string | null = null
  #readers = 0
  #isLeft = false
  #idle: NodeJS.Timeout | undefined

  constructor(options: TerminalOptions) {
    this.agent = options.agent
    this.#shell = options.shell
    this.#options = options
    const { stdout } = options.shell
    stdout.on('data', (chunk: Buffer) => {
      this.#unread.add(chunk)
      if (this.#unread.isFull) stdout.pause()
      this.#changes.notify()
    })
    this.#awaitReader()
  }

  get isOver(): boolean {
    return this.#ended !== null
  }

  /** Whether its reader went away in the middle of a read, and has not come back. */
  get isLeft(): boolean {
    return this.#isLeft && this.#readers === 0
  }

  /** Throws `conflict` when it has ended, or its shell takes nothing. */
  write(data: Buffer): void {
    this.#assertOpen()
    if (this.#shell.stdin.writableLength > MAX_UNWRITTEN_BYTES) {
      throw new HiveError('conflict', 'the shell takes no input', { hint: 'what was typed last is not in it' })
    }
    this.#shell.stdin.write(data)
  }

  /** Throws `conflict` when it has ended. */
  async resize(size: Size): Promise<void> {
    this.#assertOpen()
    await this.#shell.resize(size)
  }

  /** What came after a position, which says that all before has arrived; waits for it. */
  async read(
    after: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ data: Buffer; position: number; ended: string | null }> {
    clearTimeout(this.#idle)
    this.#readers += 1
    try {
      this.#unread.forget(after)
      if (!this.#unread.isFull) this.#shell.stdout.resume()
      const isNews = () => this.#unread.end > after || this.isOver
      for (const until = performance.now() + waitMs; !isNews() && !signal.aborted; ) {
        const left = until - performance.now()
        if (left <= 0) break
        await this.#changes.wait(left, signal)
      }
      const { data, position } = this.#unread.oldest(this.#options.maxReadBytes)
      return { data, position, ended: position < this.#unread.end ? null : this.#ended }
    } finally {
      this.#readers -= 1
      this.#isLeft = signal.aborted
      this.#awaitReader()
    }
  }

  /** Ends the shell with all that runs in it; its reader is told `why`. Nothing when it has ended. */
  async end(why: string): Promise<void> {
    if (this.isOver) return
    this.#ended = why
    this.#changes.notify()
    await this.#shell[Symbol.asyncDispose]()
  }

  /** Nobody needs it any more. */
  forget(): void {
    clearTimeout(this.#idle)
  }

  #assertOpen(): void {
    if (this.#ended !== null) throw new HiveError('conflict', `the terminal has ended: ${this.#ended}`)
  }

  #awaitReader(): void {
    if (this.#readers > 0) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(this.#options.onIdle, this.#options.idleMs).unref()
  }
}

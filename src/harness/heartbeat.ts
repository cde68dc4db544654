/**
 * Tells the daemon how the harness is doing: regularly, as a sign of life, and whenever that changed. One call at a time:
 * what comes up meanwhile is told by one more.
 */
export class Heartbeat {
  readonly #tell: () => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #telling = false
  #isDue = false

  /** `tell` must not reject. */
  constructor(tell: () => Promise<void>) {
    this.#tell = tell
  }

  every(ms: number): void {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.beat(), ms)
  }

  beat(): void {
    this.#isDue = true
    if (!this.#telling) void this.#run()
  }

  async #run(): Promise<void> {
    this.#telling = true
    while (this.#isDue) {
      this.#isDue = false
      await this.#tell()
    }
    this.#telling = false
  }
}

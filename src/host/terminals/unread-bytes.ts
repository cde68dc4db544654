/** What was written and nobody has taken yet, by its position in all that was ever written. */
export class UnreadBytes {
  readonly #capacity: number
  #chunks: Buffer[] = []
  #start = 0
  #end = 0

  /** `capacity` in bytes: from so many on it says that it is full. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Position of what comes next. */
  get end(): number {
    return this.#end
  }

  get isFull(): boolean {
    return this.#end - this.#start >= this.#capacity
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#end += chunk.length
  }

  /** Forgets what is before `position`. */
  forget(position: number): void {
    while (this.#chunks[0] && this.#start < position) {
      const chunk = this.#chunks[0]
      const taken = Math.min(position - this.#start, chunk.length)
      if (taken === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(taken)
      this.#start += taken
    }
  }

  /** The oldest bytes, `max` at most, and the position of their end. */
  oldest(max: number): { data: Buffer; position: number } {
    const data = Buffer.concat(this.#chunks).subarray(0, max)
    return { data, position: this.#start + data.length }
  }
}

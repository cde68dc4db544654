/** So many changes are kept at least; followers read soon. */
const KEPT = 8_192

/**
 * Which messages changed last, in order. Positions grow with every change and go on from those that are stored with the
 * messages; what a follower has yet to see is known without looking at any row.
 */
export class ChangeLog {
  /** The position of the change before the first one kept. */
  #before: number
  #ids: number[] = []

  constructor(position: number) {
    this.#before = position
  }

  /** Of the last change. */
  get position(): number {
    return this.#before + this.#ids.length
  }

  /** Notes a change; gives its position. */
  record(id: number): number {
    this.#ids.push(id)
    if (this.#ids.length === 2 * KEPT) {
      this.#ids = this.#ids.slice(KEPT)
      this.#before += KEPT
    }
    return this.position
  }

  /** The messages that changed after `position`, each once, by their last change; undefined when that is too long ago to tell. */
  since(position: number): number[] | undefined {
    if (position < this.#before) return undefined
    const lastFirst = new Set(this.#ids.slice(position - this.#before).reverse())
    return [...lastFirst].reverse()
  }
}

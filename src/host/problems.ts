import { errorText } from '../wire/errors.ts'

/** Something that does not work, and is tried again: shown in `hive status` until it does. */
export interface Problem {
  readonly where: string
  readonly problem: string
  /** Unix milliseconds. */
  readonly since: number
}

/** The problems of one part of the daemon, one for each place. */
export class Problems {
  readonly #all = new Map<string, Problem>()

  list(): Problem[] {
    return [...this.#all.values()]
  }

  /** `since` is when it was first noted. */
  note(where: string, error: unknown): void {
    const since = this.#all.get(where)?.since ?? Date.now()
    this.#all.set(where, { where, problem: errorText(error), since })
  }

  clear(where: string): void {
    this.#all.delete(where)
  }
}

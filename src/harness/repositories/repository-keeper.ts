import { setTimeout as sleep } from 'node:timers/promises'
import { Git } from './git.ts'
import { keepRepositories } from './keep-repositories.ts'
import type { RepositoryPlaces } from './places.ts'

/** Keeps the manager's repositories while its harness runs, one round at a time. */
export class RepositoryKeeper {
  readonly #places: RepositoryPlaces
  readonly #git: Git
  readonly #onTrouble: (text: string) => void
  #troubles: readonly string[] = []
  #round: Promise<void> = Promise.resolve()
  /** The round that has been asked for and has not begun. */
  #next: Promise<void> | undefined

  /** `onTrouble` is told what goes wrong: once, until a round goes well in that. */
  constructor(places: RepositoryPlaces, onTrouble: (text: string) => void) {
    this.#places = places
    this.#git = new Git(places)
    this.#onTrouble = onTrouble
  }

  /** Resolves when a round that began after this call is over, at the latest after `limitMs`. Never rejects. */
  async keep(limitMs: number): Promise<void> {
    this.#next ??= this.#round.then(() => this.#keep())
    this.#round = this.#next
    await Promise.race([this.#next, sleep(limitMs, undefined, { ref: false })])
  }

  async #keep(): Promise<void> {
    this.#next = undefined
    const troubles = await keepRepositories(this.#git, this.#places)
    for (const trouble of troubles) if (!this.#troubles.includes(trouble)) this.#onTrouble(trouble)
    this.#troubles = troubles
  }
}

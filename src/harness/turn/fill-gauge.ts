import type { TurnUsage } from '../../wire/turn.ts'

/** Knows when a conversation has to be shortened: once each time that it grows past a share of its window. */
export class FillGauge {
  /** The share, 0 to 1; 0: never. */
  limit: number
  #share = 0
  #isTaken = false

  constructor(limit: number) {
    this.limit = limit
  }

  /** How much of its window the conversation took at the end of the last turn, 0 to 1; 0 while that is not known. */
  get share(): number {
    return this.#share
  }

  get isDue(): boolean {
    return this.limit > 0 && this.#share >= this.limit && !this.#isTaken
  }

  /** Takes note of what the engine says at the end of a turn. */
  read(usage: TurnUsage | undefined): void {
    // Of a turn that the model never answered it says nothing.
    if (!usage || usage.contextTokens <= 0 || usage.contextWindow <= 0) return
    this.#share = usage.contextTokens / usage.contextWindow
    if (this.#share < this.limit) this.#isTaken = false
  }

  /** What could be done has been done, whatever came of it: due again when it has been below the share. */
  take(): void {
    this.#isTaken = true
  }

  /** The conversation begins anew. */
  reset(): void {
    this.#share = 0
    this.#isTaken = false
  }
}

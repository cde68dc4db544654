import { errorText, HiveError } from '../../../wire/errors.ts'
import type { Call } from '../../api/call.ts'

export interface Size {
  readonly cols: number
  readonly rows: number
}

export type LinkState =
  | { readonly is: 'opening' | 'open' | 'cut' }
  /** `hint`: what to do about it. */
  | { readonly is: 'ended'; readonly why: string; readonly hint?: string }

export interface LinkOptions {
  readonly call: Call
  readonly agent: string
  /** Shows what the terminal wrote; resolves when there is room for more. */
  readonly show: (bytes: Uint8Array) => Promise<void>
  readonly onState: (state: LinkState) => void
  /** What was typed did not arrive. */
  readonly onLost: (error: unknown) => void
  readonly sleep?: (ms: number) => Promise<void>
}

const READ_SECONDS = 30
const RETRY_MS = { first: 250, longest: 8000 }
/** Less than a write may have. */
const MAX_TYPED_BYTES = 16 * 1024

/** One terminal of an agent, from its opening to its end, over cuts of the connection. */
export class TerminalLink {
  readonly #options: LinkOptions
  #id: string | undefined
  #typed: Uint8Array[] = []
  #isTyping = false
  #size: Size | undefined
  #isSizing = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Opens it and shows what it writes, until it ends or `signal` aborts: then it is closed. What fails is a state. */
  async run(size: Size, signal: AbortSignal): Promise<void> {
    const { call, agent, onState } = this.#options
    onState({ is: 'opening' })
    try {
      const { id } = await call('terminal_open', { agent, ...size })
      this.#id = id
      signal.addEventListener('abort', () => this.#close(id), { once: true })
      if (signal.aborted) this.#close(id)
      else {
        onState({ is: 'open' })
        await this.#readAll(id, signal)
      }
    } catch (error) {
      if (!signal.aborted) onState({ is: 'ended', why: errorText(error), hint: hintOf(error) })
    } finally {
      this.#id = undefined
    }
  }

  /** Sends what was typed, in order; before it is open, and after its end, that goes nowhere. */
  type(bytes: Uint8Array): void {
    if (this.#id === undefined) return
    for (let start = 0; start < bytes.length; start += MAX_TYPED_BYTES) {
      this.#typed.push(bytes.subarray(start, start + MAX_TYPED_BYTES))
    }
    void this.#sendTyped(this.#id)
  }

  /** Tells how large the window is; of several in a row the last counts. */
  resize(size: Size): void {
    this.#size = size
    if (this.#id !== undefined) void this.#sendSize(this.#id)
  }

  async #readAll(id: string, signal: AbortSignal): Promise<void> {
    const { call, show, onState, sleep = pause } = this.#options
    let delayMs = RETRY_MS.first
    for (let after = 0; !signal.aborted; ) {
      try {
        const { data, position, ended } = await call(
          'terminal_read',
          { id, after, wait_seconds: READ_SECONDS },
          { signal },
        )
        if (delayMs !== RETRY_MS.first) onState({ is: 'open' })
        delayMs = RETRY_MS.first
        await show(fromBase64(data))
        after = position
        if (ended !== null) return onState({ is: 'ended', why: ended })
      } catch (error) {
        if (signal.aborted || !(error instanceof HiveError) || error.code !== 'unreachable') throw error
        onState({ is: 'cut' })
        await sleep(delayMs)
        delayMs = Math.min(2 * delayMs, RETRY_MS.longest)
      }
    }
  }

  async #sendTyped(id: string): Promise<void> {
    if (this.#isTyping) return
    this.#isTyping = true
    try {
      while (this.#typed.length > 0) {
        const data = toBase64(takeSome(this.#typed))
        await this.#options.call('terminal_write', { id, data })
      }
    } catch (error) {
      // Half of a command is worse than none of it.
      this.#typed = []
      this.#options.onLost(error)
    } finally {
      this.#isTyping = false
    }
  }

  async #sendSize(id: string): Promise<void> {
    if (this.#isSizing) return
    this.#isSizing = true
    try {
      for (let told: Size | undefined; told !== this.#size; ) {
        told = this.#size as Size
        await this.#options.call('terminal_resize', { id, ...told })
      }
    } catch (error) {
      if (!(error instanceof HiveError)) throw error
      // It has ended, which the reading tells, or is out of reach: then lines break in the wrong place until the next one.
    } finally {
      this.#isSizing = false
    }
  }

  #close(id: string): void {
    // Out of reach it ends by itself, since nobody reads it.
    void this.#options.call('terminal_close', { id }).catch(() => {})
  }
}

/** Takes pieces off the front, together no larger than one write. */
function takeSome(pieces: Uint8Array[]): Uint8Array {
  const taken: number[] = []
  while (pieces[0] && taken.length + pieces[0].length <= MAX_TYPED_BYTES) taken.push(...(pieces.shift() as Uint8Array))
  return Uint8Array.from(taken)
}

const hintOf = (error: unknown): string | undefined => (error instanceof HiveError ? error.hint : undefined)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes))
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

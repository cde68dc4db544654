import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from '../../wire/agent-ops.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import type { LiveEvent } from '../../wire/events.ts'
import type { Delivery } from '../../wire/things.ts'
import type { TurnEnd } from '../../wire/turn.ts'
import type { Brain } from '../brain/brain.ts'
import type { DaemonLink } from '../daemon-link.ts'
import { wakePrompt } from './wake-prompt.ts'

export interface TurnLoopOptions {
  readonly link: DaemonLink
  readonly brain: Brain
  readonly emit: (event: LiveEvent) => void
  /** Seconds that one `recv` waits. */
  readonly waitSeconds?: number
}

/**
 * Takes one turn after the other: waits for a message, lets the brain work, tells the daemon how it ended.
 * Commands of the operator come in between or interrupt.
 */
export class TurnLoop {
  readonly #link: DaemonLink
  readonly #brain: Brain
  readonly #emit: (event: LiveEvent) => void
  readonly #waitSeconds: number
  /** What the turn in progress was given, the message that woke it first. */
  #held: Delivery[] = []
  #cancelled = false
  #stopping = false
  /** The turn in progress. */
  #turn: Promise<void> = Promise.resolve()
  /** Work that the brain does between turns. */
  #between: Promise<void> = Promise.resolve()

  constructor({ link, brain, emit, waitSeconds = 180 }: TurnLoopOptions) {
    this.#link = link
    this.#brain = brain
    this.#emit = emit
    this.#waitSeconds = waitSeconds
  }

  /** Runs until it is told to stop, or until only the end of the container ends what a turn left behind. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const messages = await this.#next()
      await this.#between
      if (messages.length === 0 || this.#stopping) continue
      this.#turn = this.#takeTurn(messages)
      await this.#turn
      if (this.#brain.leftovers) return
    }
  }

  /** The next messages to work on: those that the daemon says we hold already, or the next of the inbox. */
  async #next(): Promise<Delivery[]> {
    const { call, hello, closed } = await this.#link.connected()
    const left = hello.leases.splice(0)
    if (left.length > 0) return left
    try {
      const { message } = await call.recv({ wait_seconds: this.#waitSeconds })
      return message ? [message] : []
    } catch (error) {
      // What was leased while the connection broke comes with the next hello.
      if (error instanceof HiveError && error.code === 'unreachable') await closed
      else throw error
      return []
    }
  }

  /** After the daemon was away: what we hold already needs no second turn. */
  onHello(leases: Delivery[]): void {
    const known = new Set(this.#held.map(({ id }) => id))
    const unknown = leases.filter(({ id }) => !known.has(id))
    leases.splice(0, leases.length, ...unknown)
  }

  /** A message that the model took within the turn: it ends with it. */
  join(message: Delivery): void {
    this.#held.push(message)
  }

  async #takeTurn(messages: Delivery[]): Promise<void> {
    this.#held = [...messages]
    this.#cancelled = false
    this.#emit({
      kind: 'turn_start',
      messages: messages.map(({ id, from, body }) => ({ id, from, body })),
      pending: messages.at(-1)?.pending ?? 0,
    })
    const end = await this.#thinkUntilItFits(wakePrompt(messages))
    await this.#endTurn(end)
    this.#emit({ kind: 'turn_end', end })
  }

  /** A prompt that does not fit is tried again after a compaction, then in a fresh session, then given up. */
  async #thinkUntilItFits(prompt: string): Promise<TurnEnd> {
    const first = await this.#brain.turn(prompt)
    if (first.reason !== 'prompt_too_long') return first
    this.#emit({ kind: 'note', level: 'warn', text: 'the context is full: compacting' })
    const compacted = await this.#brain.compact()
    const second = compacted.ok ? await this.#brain.turn(prompt) : first
    if (second.reason !== 'prompt_too_long') return second
    this.#emit({ kind: 'note', level: 'warn', text: 'the context is still full: beginning a fresh session' })
    await this.#brain.newSession()
    return this.#brain.turn(
      `Your session was begun afresh: it had grown too long. Your notes are in /state.\n\n${prompt}`,
    )
  }

  async #endTurn(end: TurnEnd): Promise<void> {
    const ids = this.#held.map(({ id }) => id)
    const { hello } = await this.#link.connected()
    const accepted = end.reason === 'ok' || (end.reason === 'interrupted' && this.#cancelled)
    try {
      await this.#link.call(accepted ? 'ack' : 'release', { epoch: hello.epoch, ids, end })
    } catch (error) {
      if (!(error instanceof HiveError) || error.code !== 'stale_lease') throw error
      this.#emit({ kind: 'note', level: 'warn', text: `the end of the turn came too late: ${errorText(error)}` })
    } finally {
      // Only now: until the daemon knows, a new hello still names them as ours.
      this.#held = []
    }
  }

  /** Carries out a command; `stop` resolves when the loop may end. */
  async obey(command: Command): Promise<void> {
    switch (command.do) {
      case 'cancel':
        this.#cancelled = true
        return this.#brain.interrupt()
      case 'set_model':
        return this.#brain.setModel(command.model)
      case 'compact':
        return this.#betweenTurns(async () => {
          const { ok, detail } = await this.#brain.compact()
          this.#emit({
            kind: 'note',
            level: ok ? 'info' : 'error',
            text: ok ? 'compacted' : `compacting failed: ${detail}`,
          })
        })
      case 'new_session':
        return this.#betweenTurns(async () => {
          await this.#brain.newSession()
          this.#emit({ kind: 'note', level: 'info', text: 'a fresh session begins' })
        })
      case 'stop':
        return this.#stop(command.graceMs)
    }
  }

  async #betweenTurns(work: () => Promise<void>): Promise<void> {
    const before = this.#between
    this.#between = (async () => {
      await before
      await this.#turn
      await work()
    })()
    await this.#between
  }

  async #stop(graceMs: number): Promise<void> {
    this.#stopping = true
    const ended = await Promise.race([this.#turn.then(() => true), sleep(graceMs, false)])
    if (ended) return
    await this.#brain.interrupt()
    await this.#turn
  }
}

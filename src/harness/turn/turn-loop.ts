import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from '../../wire/agent-ops.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import type { LiveEvent } from '../../wire/events.ts'
import type { Delivery } from '../../wire/things.ts'
import type { TurnEnd } from '../../wire/turn.ts'
import type { Brain } from '../brain/brain.ts'
import { type DaemonLink, isPassing } from '../daemon-link.ts'
import type { Conversation } from './conversation.ts'
import { wakePrompt } from './wake-prompt.ts'

export interface TurnLoopOptions {
  readonly link: Pick<DaemonLink, 'connected' | 'insist'>
  readonly brain: Brain
  /** With that brain. */
  readonly conversation: Conversation
  readonly emit: (event: LiveEvent) => void
  /** Seconds that one `recv` waits. */
  readonly waitSeconds?: number
  /** Between a `recv` that was refused and the next. */
  readonly pauseMs?: number
}

/** Those that are about turns and their engine. */
export type TurnCommand = Exclude<Command, { do: 'keep_repositories' | `login_${string}` }>

/**
 * Takes one turn after the other: waits for a message, lets the brain work, tells the daemon how it ended.
 * Commands of the operator come in between or interrupt.
 */
export class TurnLoop {
  readonly #link: TurnLoopOptions['link']
  readonly #brain: Brain
  readonly #conversation: Conversation
  readonly #emit: (event: LiveEvent) => void
  readonly #waitSeconds: number
  readonly #pauseMs: number
  /** What the turn in progress was given, the message that woke it first. */
  #held: Delivery[] = []
  /** What the daemon says we hold, and no turn was given: answers that were lost with a connection. */
  #left: Delivery[] = []
  /** What the operator wants nobody to work on any more; named by the daemon, maybe before we hold it. */
  readonly #cancelled = new Set<number>()
  /** What is not to be worked on now, and why; it comes again. */
  readonly #recalled = new Map<number, string>()
  /** Nothing new is begun. */
  #stopping = false
  /** The turn in progress has had its time. */
  #isOutOfTime = false
  /** The turn in progress. */
  #turn: Promise<void> = Promise.resolve()
  /** Work that the brain does between turns. */
  #between: Promise<void> = Promise.resolve()

  constructor({ link, brain, conversation, emit, waitSeconds = 180, pauseMs = 1_000 }: TurnLoopOptions) {
    this.#link = link
    this.#brain = brain
    this.#conversation = conversation
    this.#emit = emit
    this.#waitSeconds = waitSeconds
    this.#pauseMs = pauseMs
  }

  /** Runs until it is told to stop, or until only the end of the container ends what a turn left behind. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      const messages = await this.#next()
      if (messages.length === 0) continue
      this.#turn = this.#takeTurn(messages)
      await this.#turn
      if (this.#brain.leftovers) return
    }
  }

  /** The next messages to work on: those that the daemon says we hold already, or the next of the inbox. */
  async #next(): Promise<Delivery[]> {
    const { call, closed } = await this.#link.connected()
    if (this.#left.length > 0) return this.#left.splice(0)
    try {
      return (await call.recv({ wait_seconds: this.#waitSeconds })).messages
    } catch (error) {
      // What was leased while the connection broke comes with the next hello.
      if (error instanceof HiveError && error.code === 'unreachable') await closed
      else if (isPassing(error)) await sleep(this.#pauseMs)
      else throw error
      return []
    }
  }

  /** After the daemon was away: what we hold already needs no second turn. */
  onHello(leases: readonly Delivery[]): void {
    const known = new Set(this.#held.map(({ id }) => id))
    this.#left = leases.filter(({ id }) => !known.has(id))
  }

  /** A message that the model took within the turn: it ends with it. */
  join(message: Delivery): void {
    this.#held.push(message)
  }

  get #isCancelled(): boolean {
    return this.#held.some(({ id }) => this.#cancelled.has(id))
  }

  /** Why the turn in progress was called back, if it was. */
  get #recall(): string | undefined {
    return this.#held.map(({ id }) => this.#recalled.get(id)).find((why) => why !== undefined)
  }

  /** The turn in progress is to end, from the moment that its message is held. */
  get #isInterrupted(): boolean {
    return this.#isOutOfTime || this.#isCancelled || this.#recall !== undefined
  }

  async #takeTurn(messages: Delivery[]): Promise<void> {
    this.#held = [...messages]
    await this.#between
    if (this.#stopping) this.#isOutOfTime = true
    this.#emit({
      kind: 'turn_start',
      messages: messages.map(({ id, from, body }) => ({ id, from, body })),
      pending: messages.at(-1)?.pending ?? 0,
    })
    const last = await this.#conversation.turn(wakePrompt(messages), () => this.#isInterrupted)
    const why = last.reason === 'interrupted' ? this.#recall : undefined
    const end = { ...last, detail: why ?? last.detail }
    await this.#endTurn(end)
    this.#conversation.endIsTold()
    this.#emit({ kind: 'turn_end', end })
  }

  async #endTurn(end: TurnEnd): Promise<void> {
    const { hello } = await this.#link.connected()
    const isCancelled = end.reason === 'interrupted' && this.#isCancelled
    const accepted = end.reason === 'ok' || isCancelled
    // What joined the turn after the cancel is not meant by it: not named, it comes again.
    const ids = this.#held.map(({ id }) => id).filter((id) => !isCancelled || this.#cancelled.has(id))
    try {
      await this.#link.insist(accepted ? 'ack' : 'release', { epoch: hello.epoch, ids, end })
    } catch (error) {
      if (!(error instanceof HiveError) || error.code !== 'stale_lease') throw error
      this.#emit({ kind: 'note', level: 'warn', text: `the end of the turn came too late: ${errorText(error)}` })
    } finally {
      // Only now: until the daemon knows, a new hello still names them as ours.
      this.#held = []
      // The daemon has taken back what the turn did not name.
      this.#left = []
      this.#cancelled.clear()
      this.#recalled.clear()
    }
  }

  /** Carries out a command; `stop` resolves when the loop may end. */
  async obey(command: TurnCommand): Promise<void> {
    switch (command.do) {
      case 'cancel':
        return this.#cancel(command.messages)
      case 'interrupt':
        return this.#callBack(command.messages, command.why)
      case 'rest':
        return this.#brain.rest()
      case 'set_model':
        return this.#brain.setModel(command.model)
      case 'compact':
        return this.#betweenTurns(() => this.#conversation.compact())
      case 'new_session':
        return this.#betweenTurns(() => this.#conversation.beginAnew())
      case 'stop':
        return this.#stop(command.graceMs)
    }
  }

  async #cancel(messages: readonly number[]): Promise<void> {
    for (const id of messages) this.#cancelled.add(id)
    if (messages.length === 0 ? this.#held.length === 0 : this.#isCancelled) await this.#brain.interrupt()
  }

  async #callBack(messages: readonly number[], why: string): Promise<void> {
    for (const id of messages) this.#recalled.set(id, why)
    if (this.#recall !== undefined) await this.#brain.interrupt()
  }

  /** What comes first is waited for: work for the turn before it, a turn for the work before it. */
  async #betweenTurns(work: () => Promise<void>): Promise<void> {
    const before = Promise.all([this.#between, this.#turn])
    const done = before.then(work)
    // How it failed is told to whoever asked for it; the next turn only waits.
    this.#between = done.catch(() => {})
    await done
  }

  async #stop(graceMs: number): Promise<void> {
    this.#stopping = true
    const ended = await Promise.race([this.#turn.then(() => true), sleep(graceMs, false, { ref: false })])
    if (ended) return
    this.#isOutOfTime = true
    await this.#brain.interrupt()
    await this.#turn
  }
}

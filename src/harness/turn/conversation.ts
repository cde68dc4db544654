import { errorText } from '../../wire/errors.ts'
import type { LiveEvent } from '../../wire/events.ts'
import type { TurnEnd, TurnReason, TurnUsage } from '../../wire/turn.ts'
import type { Brain } from '../brain/brain.ts'
import { sumUsage } from '../brain/sum-usage.ts'
import { FillGauge } from './fill-gauge.ts'
import type { Notes } from './notes.ts'

export interface ConversationOptions {
  readonly brain: Brain
  readonly notes: Pick<Notes, 'head' | 'complaint'>
  readonly emit: (event: LiveEvent) => void
  /** Share of the window after which it is written down and shortened; 0: never. */
  readonly checkpointAt: number
}

const INTERRUPTED: TurnEnd = { reason: 'interrupted', detail: 'interrupted' }

/** The message would fare no better: it waits until the API is to be had. */
const UNAVAILABLE: readonly TurnReason[] = ['overloaded', 'network', 'auth', 'quota', 'billing']

/** No message: the harness asks for it before it shortens the conversation. */
const CHECKPOINT = `This is no message; nobody wrote to you. Your context is nearly full: when you end this turn, it is compacted, and then the next message comes.
Bring \`/state/notes.md\` up to date now, short: what you are working on, what is done and what is left, who waits for what, and what you found out that a summary would lose. Do nothing else, send nothing, and end your turn.`

/** One turn after the other of one conversation with the engine, kept within its window. */
export class Conversation {
  readonly #brain: Brain
  readonly #notes: ConversationOptions['notes']
  readonly #emit: (event: LiveEvent) => void
  readonly #gauge: FillGauge
  /** What the tries of the turn in progress have used that are over. */
  #usedBefore: TurnUsage | undefined
  /** What has to be said of what came before, with every prompt until a turn has ended well. */
  #preface: string | undefined
  /** It was begun afresh within the turn in progress. */
  #isFresh = false
  /** The turn in progress is to end. */
  #isInterrupted: () => boolean = () => false

  constructor({ brain, notes, emit, checkpointAt }: ConversationOptions) {
    this.#brain = brain
    this.#notes = notes
    this.#emit = emit
    this.#gauge = new FillGauge(checkpointAt)
  }

  set checkpointAt(share: number) {
    this.#gauge.limit = share
  }

  /** What the turn in progress has used so far. */
  get used(): TurnUsage | undefined {
    return sumUsage(this.#usedBefore, this.#brain.used)
  }

  /**
   * Takes a turn: shortens the conversation first if it is due. The end tells what all of it used together.
   * Nothing new is tried once `isInterrupted`.
   */
  async turn(prompt: string, isInterrupted: () => boolean): Promise<TurnEnd> {
    this.#isInterrupted = isInterrupted
    this.#usedBefore = undefined
    this.#isFresh = false
    const end = (await this.#makeRoom()) ?? (await this.#thinkUntilItFits(await this.#withComplaint(prompt)))
    return { ...end, usage: this.#usedBefore }
  }

  /** The daemon knows of the end of the turn: what it used is not told again. */
  endIsTold(): void {
    this.#usedBefore = undefined
  }

  /** Shortens the context, as the operator wants it. */
  async compact(): Promise<void> {
    const { ok, detail } = await this.#brain.compact()
    if (ok) this.#gauge.reset()
    this.#note(ok ? 'info' : 'error', ok ? 'compacted' : `compacting failed: ${detail}`)
  }

  /** Forgets everything, as the operator wants it. */
  async beginAnew(): Promise<void> {
    await this.#brain.newSession()
    this.#gauge.reset()
    this.#preface = undefined
    this.#note('info', 'a fresh session begins')
  }

  /**
   * Has what matters written down, then compacts; if that fails, begins afresh. Once each time that the conversation grows past its
   * share. Gives how the turn ends when it cannot go on, and nothing when the message can be worked on.
   */
  async #makeRoom(): Promise<TurnEnd | undefined> {
    if (!this.#gauge.isDue || this.#isInterrupted()) return undefined
    const percent = Math.round(100 * this.#gauge.share)
    this.#note('info', `the context is ${percent}% full: notes are brought up to date, then it is compacted`)
    const written = await this.#think(CHECKPOINT)
    if (this.#isInterrupted()) return INTERRUPTED
    if (UNAVAILABLE.includes(written.reason)) return written
    this.#gauge.take()
    if (written.reason !== 'ok') {
      // Not written down, it must not be lost: there is room left, and the engine compacts when there is none.
      this.#note('warn', `the notes were not brought up to date (${written.reason}): going on without compacting`)
      this.#preface = 'You need not bring your notes up to date now: what was asked before no longer holds.'
      return undefined
    }
    const { ok, detail } = await this.#brain.compact()
    if (this.#isInterrupted()) return INTERRUPTED
    if (ok) this.#note('info', 'compacted')
    else await this.#beginAfresh(`compacting failed: ${detail}`)
    return undefined
  }

  /** A prompt that does not fit is tried again after a compaction, then in a fresh session, then given up. */
  async #thinkUntilItFits(prompt: string): Promise<TurnEnd> {
    const first = await this.#think(prompt)
    // What has no past cannot be made shorter.
    if (first.reason !== 'prompt_too_long' || this.#isFresh) return first
    this.#note('warn', 'the context is full: compacting')
    const compacted = await this.#brain.compact()
    const second = compacted.ok || this.#isInterrupted() ? await this.#think(prompt) : first
    if (second.reason !== 'prompt_too_long') return second
    await this.#beginAfresh('the context is still full')
    return this.#think(prompt)
  }

  async #beginAfresh(why: string): Promise<void> {
    this.#note('warn', `${why}: beginning a fresh session`)
    await this.#brain.newSession()
    this.#gauge.reset()
    this.#isFresh = true
    this.#preface = await this.#brief()
  }

  async #brief(): Promise<string> {
    const why = 'Your session was begun afresh: it had grown too long. What came before it is gone but for your files.'
    try {
      return `${why} ${await this.#notes.head()}`
    } catch (error) {
      this.#note('warn', `the notes could not be read: ${errorText(error)}`)
      return `${why} Your notes are in /state.`
    }
  }

  async #withComplaint(prompt: string): Promise<string> {
    try {
      const complaint = await this.#notes.complaint()
      return complaint ? `${prompt}\n\n${complaint}` : prompt
    } catch (error) {
      this.#note('warn', `the notes could not be looked at: ${errorText(error)}`)
      return prompt
    }
  }

  /** One try; none after we were told to end. */
  async #think(prompt: string): Promise<TurnEnd> {
    if (this.#isInterrupted()) return INTERRUPTED
    const end = await this.#brain.turn(this.#preface ? `${this.#preface}\n\n${prompt}` : prompt)
    this.#usedBefore = sumUsage(this.#usedBefore, end.usage)
    if (end.reason === 'ok') {
      // Of a turn that was broken off the engine may not know how full its context was.
      this.#gauge.read(end.usage)
      this.#preface = undefined
    }
    return this.#isInterrupted() && end.reason === 'prompt_too_long' ? INTERRUPTED : end
  }

  #note(level: 'info' | 'warn' | 'error', text: string): void {
    this.#emit({ kind: 'note', level, text })
  }
}

import type { Clock } from '../../kit/clock.ts'
import { createNotifier } from '../../kit/notifier.ts'
import type { agentOps, Command } from '../../wire/agent-ops.ts'
import { HiveError } from '../../wire/errors.ts'
import type { Call, Input } from '../../wire/op.ts'
import type { TurnEnd } from '../../wire/turn.ts'

/** A harness that said hello and is connected. */
export interface LiveHarness {
  readonly connection: object
  readonly epoch: number
  readonly revision: string
  /** Commit of the configuration that it says it runs with. */
  readonly deployment: string | undefined
  /** Steady clock, ms: its last sign of life. */
  seenAt: number
  brain: 'idle' | 'thinking' | 'compacting' | 'asleep'
  /** Steady clock, ms: since when it does that. */
  brainSince: number
  ready: Input<typeof agentOps.ready> | undefined
}

/** One that lets so many wait does not fetch them. */
const MAX_COMMANDS = 1_000

/**
 * The daemon's end of one agent's harness: at most one is live. It knows what the harness last said
 * and keeps the commands that it has yet to fetch.
 */
export class HarnessLink {
  /** Notified at hello, ready, goodbye and new commands. */
  readonly changes = createNotifier()
  readonly #now: Clock
  readonly #agent: string
  #live: LiveHarness | undefined
  #commands: Command[] = []
  /** Fetched, but whether they arrived is not known before the next call. */
  #fetched: Command[] = []
  /** Who is about to say hello. */
  #reserved: object | undefined
  /** Of the last harness that was connected. */
  #epoch: number | undefined
  #lastTurn: { end: TurnEnd; at: number } | undefined
  #turnSince: number | undefined
  /** The turn in progress has been called back. */
  #isCalledBack = false
  #goneAt = 0

  constructor(agent: string, now: Clock) {
    this.#agent = agent
    this.#now = now
  }

  /** When the turn in progress began; undefined when that is not known. */
  get turnSince(): number | undefined {
    return this.#turnSince
  }

  /** Steady clock: when the last harness that was connected went; 0: none has. */
  get goneAt(): number {
    return this.#goneAt
  }

  get lastTurn(): { end: TurnEnd; at: number } | undefined {
    return this.#lastTurn
  }

  turnBegan(at = this.#now()): void {
    this.#turnSince = at
    this.#isCalledBack = false
    this.changes.notify()
  }

  turnEnded(end: TurnEnd): void {
    this.#lastTurn = { end, at: this.#now() }
    this.#turnSince = undefined
    this.#isCalledBack = false
    this.changes.notify()
  }

  /** Has the turn in progress, which holds `messages`, end before its time; once. */
  callBack(messages: readonly number[], why: string): void {
    if (this.#isCalledBack) return
    this.#isCalledBack = true
    this.command({ do: 'interrupt', messages: [...messages], why })
  }

  /** Whether it had a turn, or its engine began or ended something, from `since` on (steady clock, ms), as far as it tells. */
  hasWorked(since: number): boolean {
    const brain = this.#live?.brain
    if (this.#turnSince !== undefined || brain === 'thinking' || brain === 'compacting') return true
    return (this.#lastTurn?.at ?? 0) >= since || (this.#live?.brainSince ?? 0) >= since
  }

  /** What the engine does. Gives whether that is something else than before. */
  brainIs(live: LiveHarness, brain: LiveHarness['brain']): boolean {
    if (live.brain === brain) return false
    live.brain = brain
    live.brainSince = this.#now()
    return true
  }

  /** The engine says what state it is in. */
  becameReady(ready: NonNullable<LiveHarness['ready']>): void {
    if (this.#live) this.#live.ready = ready
    this.changes.notify()
  }

  get live(): LiveHarness | undefined {
    return this.#live
  }

  /**
   * Keeps others from saying hello while this one does. Throws `conflict` while another harness is connected, or says hello.
   */
  reserve(connection: object): Disposable {
    const holder = this.#live?.connection ?? this.#reserved
    if (holder && (holder !== connection || this.#reserved)) {
      throw new HiveError('conflict', `a harness of ${this.#agent} is connected`, { hint: 'one at a time' })
    }
    this.#reserved = connection
    return {
      [Symbol.dispose]: () => {
        this.#reserved = undefined
      },
    }
  }

  attach(call: Call, { epoch, revision, deployment }: Pick<LiveHarness, 'epoch' | 'revision' | 'deployment'>): void {
    // The same process, which was away: what it may not have got it gets again.
    this.#commands = epoch === this.#epoch ? [...this.#fetched, ...this.#commands] : []
    this.#fetched = []
    if (epoch !== this.#epoch) this.#turnSince = undefined
    this.#epoch = epoch
    this.#live = {
      connection: call.connection,
      epoch,
      revision,
      deployment,
      seenAt: this.#now(),
      brain: 'asleep',
      brainSince: this.#now(),
      ready: undefined,
    }
    call.signal.addEventListener('abort', () => this.#detach(call.connection), { once: true })
    if (call.signal.aborted) this.#detach(call.connection)
    this.changes.notify()
  }

  #detach(connection: object): void {
    if (this.#live?.connection !== connection) return
    this.#live = undefined
    this.#goneAt = this.#now()
    this.changes.notify()
  }

  /** The live harness, if this call is its. Throws `forbidden` for whoever else speaks on the socket. */
  assertHarness(call: Call): LiveHarness {
    if (this.#live?.connection !== call.connection) {
      throw new HiveError('forbidden', 'only the harness of this agent may do that', { hint: 'say hello first' })
    }
    this.#live.seenAt = this.#now()
    return this.#live
  }

  /** The same for a call that belongs to one epoch. Throws `stale_lease` too, when that is over. */
  assertEpoch(call: Call, epoch: number): void {
    if (this.assertHarness(call).epoch !== epoch) throw new HiveError('stale_lease', 'that epoch is over')
  }

  /** Throws `conflict` when no harness is connected to do it, `too_many` when it does not fetch what it was told before. */
  command(command: Command): void {
    if (!this.#live) throw new HiveError('conflict', `${this.#agent} is offline`, { hint: `hive start ${this.#agent}` })
    if (this.#commands.length >= MAX_COMMANDS) {
      throw new HiveError('too_many', `the harness of ${this.#agent} does not do what it is told`, {
        hint: `hive restart ${this.#agent} --now`,
      })
    }
    this.#commands.push(command)
    this.changes.notify()
  }

  /** Waits for commands. The next call says that these have arrived. */
  async takeCommands(waitMs: number, signal: AbortSignal): Promise<Command[]> {
    this.#fetched = []
    const until = this.#now() + waitMs
    while (this.#commands.length === 0 && !signal.aborted && this.#now() < until) {
      await this.changes.wait(until - this.#now(), signal)
    }
    if (signal.aborted) return []
    this.#fetched = this.#commands.splice(0)
    return this.#fetched
  }

  /** Resolves with true once a harness is connected, with false after `timeoutMs`, or when a change makes it hopeless. */
  async waitForHello(
    timeoutMs: number,
    signal: AbortSignal = new AbortController().signal,
    isHopeless: () => boolean = () => false,
  ): Promise<boolean> {
    const until = this.#now() + timeoutMs
    while (!this.#live && !signal.aborted && !isHopeless() && this.#now() < until) {
      await this.changes.wait(until - this.#now(), signal)
    }
    return this.#live !== undefined
  }
}

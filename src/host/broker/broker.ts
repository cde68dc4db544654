import type { Clock } from '../../kit/clock.ts'
import { createNotifier, type Notifier } from '../../kit/notifier.ts'
import { createTokenBuckets, type Rate } from '../../kit/token-bucket.ts'
import { HiveError } from '../../wire/errors.ts'
import type { HelperEvent } from '../../wire/events.ts'
import { MANAGER, OPERATOR, SYSTEM } from '../../wire/names.ts'
import type { Delivery } from '../../wire/things.ts'
import type { TurnEnd } from '../../wire/turn.ts'
import { createIntervals } from '../intervals.ts'
import type { Ended, Parking, Returned, Store } from './store.ts'

export interface BrokerOptions {
  readonly store: Store
  /** Turns that may be in progress at once. */
  readonly slots: number
  readonly sendRate: Rate
  /** Messages of one chain, before the operator is asked. */
  readonly chainRate: Rate
  /** Who can be written to. */
  readonly recipients: Recipients
  /** To whom an agent may send beside the manager, as its configuration says; undefined: to everyone. */
  readonly allowedRecipients?: (agent: string) => readonly string[] | undefined
  /** Why an agent may begin no turn today, and until when; undefined: it may. */
  readonly overspent?: (agent: string) => Parking | undefined
  /** Whether nothing is to be delivered to an agent for now; whoever changes that opens its inbox. */
  readonly isHeld?: (agent: string) => boolean
  /** Told when the turn of an agent is over, however it ended. */
  readonly onTurnOver?: (agent: string) => void
  /** A deadline is looked at so often: the clock of the world may have been set meanwhile, and the machine may have slept. */
  readonly deadlineMs?: number
  /** Intervals run on it. */
  readonly now: Clock
  /** Deadlines that the world sets run on it: unix ms. */
  readonly wallNow?: () => number
  readonly random?: () => number
}

export interface Recipients {
  /** Names of the agents that exist now. */
  names(): string[]
  has(name: string): boolean
  wasDestroyed(name: string): boolean
}

export interface Outgoing {
  readonly to: string
  readonly body: string
  readonly replyTo?: number
  readonly key?: string
}

/** When what a timer had to do was refused, as on a full disk. */
const TRY_AGAIN_MS = 5_000

/** A `recv` that has no answer yet. */
interface Waiter {
  readonly epoch: number
  /** It was called within a turn and joins its message to it. */
  readonly joins: boolean
  /** How many messages it takes at most. */
  readonly max: number
  readonly waitMs: number
  readonly signal: AbortSignal
  /** It may stay when there is nothing to be had now. */
  isPatient: boolean
  /** Set once it has begun to wait. */
  endWait: (() => void) | undefined
  resolve(deliveries: readonly Delivery[]): void
  reject(error: unknown): void
}

/** Who asks for the mail of one agent. */
interface Desk {
  /** Those that wait, the oldest first. */
  readonly idle: Set<Waiter>
  /** For how many the store is being asked. */
  leasing: number
  /** Something came while the store was being asked for everyone there is. */
  askAgain: boolean
  /** Nothing is delivered. */
  closed: boolean
  /** The store is being told to park it. */
  parking: boolean
  timer: NodeJS.Timeout | undefined
}

/**
 * Brings messages from senders to the turns of their recipients. Durable state is the store's; here is who waits,
 * who holds one of the turn slots, and how fast each sender may go.
 */
export class Broker implements Disposable {
  readonly store: Store
  /** Notified after every change of a message or an inbox. */
  readonly changes: Notifier = createNotifier()
  readonly #slots: number
  readonly #recipients: Recipients
  readonly #allowedRecipients: (agent: string) => readonly string[] | undefined
  readonly #overspent: (agent: string) => Parking | undefined
  readonly #isHeld: (agent: string) => boolean
  readonly #onTurnOver: (agent: string) => void
  readonly #deadlineMs: number
  readonly #now: Clock
  readonly #wallNow: () => number
  readonly #random: () => number
  readonly #sendBuckets
  readonly #chainBuckets
  readonly #desks = new Map<string, Desk>()
  readonly #slotHolders = new Set<string>()
  /** They have mail and a waiter, and no slot; the first in line is the first here. */
  readonly #slotLine = new Set<string>()

  constructor(options: BrokerOptions) {
    this.store = options.store
    this.#slots = options.slots
    this.#recipients = options.recipients
    this.#allowedRecipients = options.allowedRecipients ?? (() => undefined)
    this.#overspent = options.overspent ?? (() => undefined)
    this.#isHeld = options.isHeld ?? (() => false)
    this.#onTurnOver = options.onTurnOver ?? (() => {})
    this.#deadlineMs = options.deadlineMs ?? createIntervals().deadlineMs
    this.#now = options.now
    this.#wallNow = options.wallNow ?? Date.now
    this.#random = options.random ?? Math.random
    this.#sendBuckets = createTokenBuckets(options.sendRate, options.now)
    this.#chainBuckets = createTokenBuckets(options.chainRate, options.now)
  }

  #desk(agent: string): Desk {
    let desk = this.#desks.get(agent)
    if (!desk) {
      desk = { idle: new Set(), leasing: 0, askAgain: false, closed: false, parking: false, timer: undefined }
      this.#desks.set(agent, desk)
    }
    return desk
  }

  /**
   * Stores a message for one recipient, or for every agent (`*`). Throws `rate_limited`, `forbidden` when its sender
   * may not send to the recipient, `not_found` for an unknown one, `inbox_full`, `chain_paused`, `disk_full`: nothing is stored then.
   */
  async send(from: string, { to, body, replyTo, key }: Outgoing): Promise<readonly number[]> {
    const isAgent = from !== OPERATOR && from !== SYSTEM
    if (isAgent && !this.#sendBuckets.take(from)) {
      // A repeated call is answered, however fast its sender is.
      const before = key === undefined ? [] : await this.store.sentBefore(from, key)
      if (before.length > 0) return before
      throw new HiveError('rate_limited', 'you send too fast', {
        hint: 'wait a second; put long content in a file and send its path',
      })
    }
    if (isAgent) this.#assertAllowed(from, to)
    const recipients = this.#resolve(from, to)
    const sending = this.store.send({ from, to: recipients, body, replyTo, key })
    // Asked in the same event-loop turn, the lease shares the commit of the send.
    for (const recipient of recipients) this.#deliver(recipient, { comes: true })
    const { ids, rootId, refused } = await sending
    this.changes.notify()
    if (refused) {
      this.#deliverTo(refused.notified)
      throw new HiveError('chain_paused', `the chain of message ${refused.rootId} is paused: ${refused.reason}`, {
        hint: 'nothing was sent; end your turn, the operator decides whether it goes on',
      })
    }
    if (rootId !== undefined && isAgent) await this.#watchChain(rootId, [from, ...recipients])
    return ids
  }

  /** Tells an agent a fact from the daemon; one with a `key` only once. */
  async tell(agent: string, event: HelperEvent, key?: string): Promise<void> {
    await this.send(SYSTEM, { to: agent, body: JSON.stringify(event), key })
  }

  #assertAllowed(from: string, to: string): void {
    const allowed = this.#allowedRecipients(from)
    if (!allowed || to === MANAGER || allowed.includes(to) || allowed.includes('*')) return
    const whom = to === '*' ? 'every agent at once' : to
    const names = [...new Set([MANAGER, ...allowed])].filter((name) => name !== from)
    throw new HiveError('forbidden', `you may not send to ${whom}; allowed: ${names.join(', ') || 'nobody'}`, {
      hint:
        from === MANAGER
          ? 'propose it in your own agent.json'
          : 'ask the manager to pass it on, or to propose it for your agent.json',
    })
  }

  #resolve(from: string, to: string): string[] {
    if (to === OPERATOR || this.#recipients.has(to)) return [to]
    const active = this.#recipients.names()
    if (to === '*') return active.filter((name) => name !== from)
    if (this.#recipients.wasDestroyed(to)) {
      throw new HiveError('not_found', `${to} was destroyed`, { hint: 'the operator can bring it back' })
    }
    const near = active.filter((name) => name[0] === to[0] || name.includes(to) || to.includes(name))
    const names = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `agents: ${active.join(', ') || 'none'}`
    throw new HiveError('not_found', `no agent ${to}`, { hint: `${names}; the human is "operator"` })
  }

  async #watchChain(rootId: number, agents: readonly string[]): Promise<void> {
    if (this.#chainBuckets.take(String(rootId))) return
    const { notified } = await this.store.pauseChain(rootId, 'it sends too many messages a minute', agents)
    this.#deliverTo(notified)
    this.changes.notify()
  }

  /**
   * Takes the next messages of an inbox, `max` at most; waits for one up to `waitMs`. Within a turn they join it.
   * Resolves with none when none came. Throws `stale_lease` when a newer harness has taken over.
   */
  recv(
    agent: string,
    { epoch, waitMs, signal, max = 1 }: { epoch: number; waitMs: number; signal: AbortSignal; max?: number },
  ): Promise<readonly Delivery[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Delivery[]>()
    const joins = this.store.holds(agent)
    const isPatient = waitMs > 0
    this.#leaseTo(agent, { epoch, joins, max, waitMs, signal, isPatient, endWait: undefined, resolve, reject })
    return promise
  }

  #deliverTo(agents: readonly string[]): void {
    for (const agent of agents) this.#deliver(agent)
  }

  /** Leases the next message to whoever waits for it. `comes`: there is one, though it is not stored yet. */
  #deliver(agent: string, { comes } = { comes: false }): void {
    const desk = this.#desks.get(agent)
    if (!desk) return
    const inTurn = this.store.holds(agent)
    for (const waiter of desk.idle) {
      if (waiter.joins !== inTurn) continue
      desk.idle.delete(waiter)
      this.#leaseTo(agent, waiter, comes)
      return
    }
    if (desk.leasing > 0) desk.askAgain = true
  }

  #leaseTo(agent: string, waiter: Waiter, comes = false): void {
    const desk = this.#desk(agent)
    const hasMail = comes || this.store.queued(agent) > 0
    const isShut =
      desk.closed ||
      this.#isHeld(agent) ||
      this.store.parked(agent) !== null ||
      (!waiter.joins && this.#parkOverspent(agent))
    if (isShut || !this.#takeSlot(agent, hasMail)) {
      this.#settleEmpty(agent, waiter)
      return
    }
    desk.leasing += 1
    void this.#lease(agent, desk, waiter)
  }

  async #lease(agent: string, desk: Desk, waiter: Waiter): Promise<void> {
    const { epoch, joins, max } = waiter
    try {
      const { deliveries, waitUntil } = await this.store.lease(agent, { epoch, joins, max, now: this.#now() })
      if (deliveries.length > 0) {
        this.#answer(agent, waiter, deliveries)
        this.changes.notify()
        if (this.store.queued(agent) > 0) this.#deliver(agent)
        return
      }
      if (waitUntil !== undefined) this.#wakeIn(agent, waitUntil - this.#now())
      // A look within a turn goes on with its slot; who waits for a turn, or within one, needs none.
      if (!joins || waiter.isPatient) this.#giveSlotBack(agent)
      this.#settleEmpty(agent, waiter)
    } catch (error) {
      if (!joins) this.#giveSlotBack(agent)
      waiter.endWait?.()
      waiter.reject(error)
    } finally {
      desk.leasing -= 1
      if (desk.askAgain) {
        desk.askAgain = false
        this.#deliver(agent)
      }
    }
  }

  /** There is nothing for it now: it waits, or hears so. */
  #settleEmpty(agent: string, waiter: Waiter): void {
    if (waiter.isPatient && !waiter.signal.aborted) {
      this.#desk(agent).idle.add(waiter)
      waiter.endWait ??= this.#beginWait(agent, waiter)
    } else this.#answer(agent, waiter, [])
  }

  #beginWait(agent: string, waiter: Waiter): () => void {
    const giveUp = () => {
      // What the store is leasing to it right now has to be told.
      if (this.#desk(agent).idle.delete(waiter)) this.#answer(agent, waiter, [])
      else waiter.isPatient = false
    }
    const timer = setTimeout(giveUp, waiter.waitMs)
    waiter.signal.addEventListener('abort', giveUp, { once: true })
    return () => {
      clearTimeout(timer)
      waiter.signal.removeEventListener('abort', giveUp)
    }
  }

  #answer(agent: string, waiter: Waiter, deliveries: readonly Delivery[]): void {
    waiter.endWait?.()
    // The turn goes on and needs its slot, even when that makes one too many.
    if (this.store.holds(agent)) this.#slotHolders.add(agent)
    waiter.resolve(deliveries)
  }

  /** A turn needs a slot; a `recv` that waits within a turn has given its own back. */
  #takeSlot(agent: string, hasMail: boolean): boolean {
    if (this.#slotHolders.has(agent)) return true
    if (this.#slotHolders.size >= this.#slots) {
      if (hasMail) this.#slotLine.add(agent)
      return false
    }
    this.#slotLine.delete(agent)
    this.#slotHolders.add(agent)
    return true
  }

  #giveSlotBack(agent: string): void {
    if (!this.#slotHolders.delete(agent)) return
    for (const next of this.#slotLine) {
      if (this.#slotHolders.size >= this.#slots) return
      // Between two of its polls an agent keeps its place.
      if (this.#desk(next).idle.size > 0) this.#deliver(next)
    }
  }

  /** Whether an agent may begin no turn; its inbox is parked then. */
  #parkOverspent(agent: string): boolean {
    const parking = this.#overspent(agent)
    if (!parking) return false
    this.#slotLine.delete(agent)
    void this.#park(agent, parking)
    return true
  }

  async #park(agent: string, parking: Parking): Promise<void> {
    const desk = this.#desk(agent)
    if (desk.parking) return
    desk.parking = true
    try {
      const { parked, notified } = await this.store.park(agent, parking)
      if (parked.until !== undefined) this.#wakeIn(agent, parked.until - this.#wallNow())
      this.#deliverTo(notified)
      this.changes.notify()
    } catch {
      // As in #resume: nothing is delivered, and it is looked at again.
      this.#wakeIn(agent, TRY_AGAIN_MS)
    } finally {
      desk.parking = false
    }
  }

  /** A limit may have been raised: looks again whether an inbox that is parked for its budget may go on. */
  reconsider(agent: string): void {
    if (this.store.parked(agent)?.reason === 'budget') this.#wakeIn(agent, 0)
  }

  #wakeIn(agent: string, delayMs: number): void {
    const desk = this.#desk(agent)
    clearTimeout(desk.timer)
    desk.timer = setTimeout(() => void this.#resume(agent), Math.min(this.#deadlineMs, Math.max(0, delayMs))).unref()
  }

  async #resume(agent: string): Promise<void> {
    const until = this.#parkedUntil(agent)
    // Not yet: it was only time to look, or the timer came early, since it counts from when its event-loop turn began.
    const leftMs = (until ?? 0) - this.#wallNow()
    if (until !== undefined && leftMs > 0) return this.#wakeIn(agent, leftMs)
    try {
      if (until !== undefined) await this.store.unpark(agent)
    } catch {
      // The disk is full, or worse: whoever looks after the database says so. Nobody else would look again.
      return this.#wakeIn(agent, TRY_AGAIN_MS)
    }
    this.#deliver(agent)
    this.changes.notify()
  }

  /** When a parked inbox goes on by itself, unix ms. A budget is decided anew at every look: another day may have begun. */
  #parkedUntil(agent: string): number | undefined {
    const parked = this.store.parked(agent)
    return parked?.reason === 'budget' ? (this.#overspent(agent)?.until ?? 0) : parked?.until
  }

  /** Takes up what was in progress before the daemon started: turns with their slots, and the deadlines of parked inboxes. */
  takeUp(agents: readonly string[]): void {
    for (const agent of agents) {
      if (this.store.holds(agent)) this.#slotHolders.add(agent)
      const until = this.#parkedUntil(agent)
      if (until !== undefined) this.#wakeIn(agent, until - this.#wallNow())
    }
  }

  /** Begins a new life of a harness. `returned` says how its predecessor ended. */
  async beginEpoch(agent: string, returned: Returned): Promise<number> {
    this.#endWaiting(agent)
    const { epoch, notified } = await this.store.beginEpoch(agent, returned)
    this.#turnIsOver(agent, notified)
    return epoch
  }

  /** Takes back what an agent holds, since its container is gone. */
  async reclaim(agent: string, returned: Returned): Promise<void> {
    this.#endWaiting(agent)
    const { notified } = await this.store.reclaim(agent, returned)
    this.#turnIsOver(agent, notified)
  }

  /** Ends a turn; what follows from it is the store's decision. Throws `stale_lease` when the turn is not this epoch's. */
  async endTurn(agent: string, epoch: number, ids: readonly number[], end: TurnEnd, accepted: boolean): Promise<Ended> {
    const ended = await this.store.endTurn(agent, {
      epoch,
      ids,
      end,
      accepted,
      now: this.#now(),
      random: this.#random(),
    })
    this.#endWaiting(agent)
    if (ended.parked?.until !== undefined) this.#wakeIn(agent, ended.parked.until - this.#wallNow())
    this.#turnIsOver(agent, ended.notified)
    return ended
  }

  #endWaiting(agent: string): void {
    const desk = this.#desk(agent)
    for (const waiter of desk.idle) {
      desk.idle.delete(waiter)
      this.#answer(agent, waiter, [])
    }
  }

  #turnIsOver(agent: string, notified: readonly string[]): void {
    this.#slotLine.delete(agent)
    this.#giveSlotBack(agent)
    this.#onTurnOver(agent)
    this.#deliverTo(notified)
    this.changes.notify()
  }

  /** Lets a parked inbox go on now. */
  async unpark(agent: string): Promise<void> {
    await this.store.unpark(agent)
    this.#deliver(agent)
    this.changes.notify()
  }

  /** Delivers nothing more to an agent that is about to stop. */
  closeInbox(agent: string): void {
    this.#desk(agent).closed = true
    this.#slotLine.delete(agent)
  }

  openInbox(agent: string): void {
    this.#desk(agent).closed = false
    this.#deliver(agent)
  }

  /** Forgets the inbox of an agent that will never come back. */
  async bury(agent: string, reason: string): Promise<void> {
    const { notified } = await this.store.bury(agent, reason)
    this.#deliverTo(notified)
    this.changes.notify()
  }

  /** Delivers what the operator put back into a queue. */
  poke(agent: string): void {
    this.#deliver(agent)
    this.changes.notify()
  }

  slotUse(): { used: number; total: number } {
    return { used: this.#slotHolders.size, total: this.#slots }
  }

  [Symbol.dispose](): void {
    for (const [agent, { timer }] of this.#desks) {
      clearTimeout(timer)
      this.#endWaiting(agent)
    }
  }
}

import type { Clock } from '../../kit/clock.ts'
import { createNotifier, type Notifier } from '../../kit/notifier.ts'
import { createTokenBuckets, type Rate } from '../../kit/token-bucket.ts'
import { HiveError } from '../../wire/errors.ts'
import type { HelperEvent } from '../../wire/events.ts'
import { OPERATOR, SYSTEM } from '../../wire/names.ts'
import type { Delivery } from '../../wire/things.ts'
import type { TurnEnd } from '../../wire/turn.ts'
import type { Ended, Returned, Store } from './store.ts'

export interface BrokerOptions {
  readonly store: Store
  /** Turns that may be in progress at once. */
  readonly slots: number
  readonly sendRate: Rate
  /** Messages of one chain, before the operator is asked. */
  readonly chainRate: Rate
  /** Who can be written to. */
  readonly recipients: Recipients
  readonly now: Clock
  readonly random?: () => number
}

export interface Recipients {
  /** Names of the agents that exist now. */
  active(): string[]
  wasDestroyed(name: string): boolean
}

export interface Outgoing {
  readonly to: string
  readonly body: string
  readonly replyTo?: number
  readonly key?: string
}

/** Node takes a longer one for 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A `recv` that has no answer yet. */
interface Waiter {
  readonly epoch: number
  /** It may stay when there is nothing to be had now. */
  isPatient: boolean
  /** The store is being asked for it. */
  isLeasing: boolean
  /** It was called within a turn and joins its message to it. */
  readonly joins: boolean
  resolve(delivery: Delivery | null): void
  reject(error: unknown): void
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
  readonly #now: Clock
  readonly #random: () => number
  readonly #sendBuckets
  readonly #chainBuckets
  readonly #waiters = new Map<string, Waiter[]>()
  /** Something came while the store was being asked for every waiter there is. */
  readonly #askedAgain = new Set<string>()
  readonly #slotHolders = new Set<string>()
  readonly #waitForSlot = new Set<string>()
  readonly #closedInboxes = new Set<string>()
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor({ store, slots, sendRate, chainRate, recipients, now, random = Math.random }: BrokerOptions) {
    this.store = store
    this.#slots = slots
    this.#recipients = recipients
    this.#now = now
    this.#random = random
    this.#sendBuckets = createTokenBuckets(sendRate, now)
    this.#chainBuckets = createTokenBuckets(chainRate, now)
  }

  /**
   * Stores a message for one recipient, or for every agent (`*`). Throws `rate_limited`, `not_found` for an unknown recipient,
   * `inbox_full`, `chain_paused`, `disk_full`: nothing is stored then.
   */
  async send(from: string, { to, body, replyTo, key }: Outgoing): Promise<readonly number[]> {
    if (from !== OPERATOR && from !== SYSTEM && !this.#sendBuckets.take(from)) {
      throw new HiveError('rate_limited', 'you send too fast', {
        hint: 'wait a second; put long content in a file and send its path',
      })
    }
    const recipients = this.#resolve(from, to)
    const sending = this.store.send({ from, to: recipients, body, replyTo, key })
    // Asked in the same event-loop turn, the lease shares the commit of the send.
    for (const recipient of recipients) this.#deliver(recipient)
    const { ids, rootId, refused } = await sending
    this.changes.notify()
    if (refused) {
      this.#deliverTo(refused.notified)
      throw new HiveError('chain_paused', `the chain of message ${refused.rootId} is paused: ${refused.reason}`, {
        hint: 'nothing was sent; end your turn, the operator decides whether it goes on',
      })
    }
    if (rootId !== undefined && from !== OPERATOR && from !== SYSTEM) await this.#watchChain(rootId)
    return ids
  }

  /** Tells an agent a fact from the daemon. */
  async tell(agent: string, event: HelperEvent): Promise<void> {
    await this.send(SYSTEM, { to: agent, body: JSON.stringify(event) })
  }

  #resolve(from: string, to: string): string[] {
    const active = this.#recipients.active()
    if (to === '*') return active.filter((name) => name !== from)
    if (to === OPERATOR || active.includes(to)) return [to]
    if (this.#recipients.wasDestroyed(to)) {
      throw new HiveError('not_found', `${to} was destroyed`, { hint: 'the operator can bring it back' })
    }
    const near = active.filter((name) => name[0] === to[0] || name.includes(to) || to.includes(name))
    const names = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `agents: ${active.join(', ') || 'none'}`
    throw new HiveError('not_found', `no agent ${to}`, { hint: `${names}; the human is "operator"` })
  }

  async #watchChain(rootId: number): Promise<void> {
    if (this.#chainBuckets.take(String(rootId))) return
    const { notified } = await this.store.pauseChain(rootId, 'it sends too many messages a minute')
    this.#deliverTo(notified)
    this.changes.notify()
  }

  /**
   * Takes the next message of an inbox; waits for one up to `waitMs`. Within a turn the message joins it.
   * Resolves with null when none came. Throws `stale_lease` when a newer harness has taken over.
   */
  async recv(
    agent: string,
    { epoch, waitMs, signal }: { epoch: number; waitMs: number; signal: AbortSignal },
  ): Promise<Delivery | null> {
    const joins = this.store.holds(agent)
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', giveUp)
        const left = (this.#waiters.get(agent) ?? []).filter((other) => other !== waiter)
        if (left.length > 0) this.#waiters.set(agent, left)
        else this.#waiters.delete(agent)
        this.#takeSlotBack(agent)
      }
      const waiter: Waiter = {
        epoch,
        joins,
        isPatient: waitMs > 0,
        isLeasing: false,
        resolve: (delivery) => {
          leave()
          resolve(delivery)
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      // What the store is leasing to it right now has to be told.
      const giveUp = () => {
        if (waiter.isLeasing) waiter.isPatient = false
        else waiter.resolve(null)
      }
      const timer = waitMs > 0 ? setTimeout(giveUp, waitMs) : undefined
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiters.set(agent, [...(this.#waiters.get(agent) ?? []), waiter])
      this.#leaseTo(agent, waiter)
    })
  }

  #deliverTo(agents: readonly string[]): void {
    for (const agent of agents) this.#deliver(agent)
  }

  /** Leases the next message to whoever waits for it. */
  #deliver(agent: string): void {
    const waiters = this.#waiters.get(agent)
    if (!waiters) return
    const inTurn = this.store.holds(agent)
    const next = waiters.find(({ isLeasing, joins }) => !isLeasing && joins === inTurn)
    if (next) this.#leaseTo(agent, next)
    else this.#askedAgain.add(agent)
  }

  #leaseTo(agent: string, waiter: Waiter): void {
    if (this.#closedInboxes.has(agent) || this.store.parked(agent) || !this.#takeSlot(agent)) {
      if (!waiter.isPatient) waiter.resolve(null)
      return
    }
    waiter.isLeasing = true
    void this.#lease(agent, waiter)
  }

  async #lease(agent: string, waiter: Waiter): Promise<void> {
    try {
      const { epoch, joins } = waiter
      const { delivery, waitUntil } = await this.store.lease(agent, { epoch, joins, now: this.#now() })
      waiter.isLeasing = false
      if (delivery) {
        waiter.resolve(delivery)
        this.changes.notify()
        if (delivery.pending > 0) this.#deliver(agent)
        return
      }
      this.#giveSlotBack(agent)
      if (waitUntil !== undefined) this.#wakeAt(agent, waitUntil)
      if (!waiter.isPatient) waiter.resolve(null)
    } catch (error) {
      this.#giveSlotBack(agent)
      waiter.reject(error)
    } finally {
      if (this.#askedAgain.delete(agent)) this.#deliver(agent)
    }
  }

  /** A turn needs a slot; a `recv` parked within a turn has given its own back. */
  #takeSlot(agent: string): boolean {
    if (this.#slotHolders.has(agent)) return true
    if (this.#slotHolders.size >= this.#slots) {
      this.#waitForSlot.add(agent)
      return false
    }
    this.#waitForSlot.delete(agent)
    this.#slotHolders.add(agent)
    return true
  }

  /** Nothing was leased, so the agent waits without a slot. */
  #giveSlotBack(agent: string): void {
    if (!this.#slotHolders.delete(agent)) return
    for (const next of this.#waitForSlot) {
      if (this.#slotHolders.size >= this.#slots) return
      this.#waitForSlot.delete(next)
      this.#deliver(next)
    }
  }

  /** A `recv` within a turn came back: the turn goes on and needs its slot, even when that makes one too many. */
  #takeSlotBack(agent: string): void {
    this.#waitForSlot.delete(agent)
    if (this.store.holds(agent)) this.#slotHolders.add(agent)
  }

  #wakeAt(agent: string, at: number): void {
    clearTimeout(this.#timers.get(agent))
    const timer = setTimeout(
      () => {
        this.#timers.delete(agent)
        void this.#resume(agent)
      },
      Math.min(LONGEST_TIMER_MS, Math.max(0, at - this.#now())),
    )
    timer.unref()
    this.#timers.set(agent, timer)
  }

  async #resume(agent: string): Promise<void> {
    const until = this.store.parked(agent)?.until
    // A timer may come early: it counts from when its event-loop turn began.
    if (until !== undefined && until > this.#now()) return this.#wakeAt(agent, until)
    if (until !== undefined) await this.store.unpark(agent)
    this.#deliver(agent)
    this.changes.notify()
  }

  /** Arms the timers of inboxes that were parked before the daemon started. */
  resumeTimers(agents: readonly string[]): void {
    for (const agent of agents) {
      const until = this.store.parked(agent)?.until
      if (until !== undefined) this.#wakeAt(agent, until)
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
    if (ended.parked?.until !== undefined) this.#wakeAt(agent, ended.parked.until)
    this.#turnIsOver(agent, ended.notified)
    return ended
  }

  #endWaiting(agent: string): void {
    for (const waiter of this.#waiters.get(agent) ?? []) waiter.resolve(null)
  }

  #turnIsOver(agent: string, notified: readonly string[]): void {
    this.#giveSlotBack(agent)
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
    this.#closedInboxes.add(agent)
  }

  openInbox(agent: string): void {
    this.#closedInboxes.delete(agent)
    this.#deliver(agent)
  }

  /** Delivers what the operator put back into a queue. */
  poke(agent: string): void {
    this.#deliver(agent)
    this.changes.notify()
  }

  isWaitingForSlot(agent: string): boolean {
    return this.#waitForSlot.has(agent)
  }

  slotUse(): { used: number; total: number } {
    return { used: this.#slotHolders.size, total: this.#slots }
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    for (const agent of this.#waiters.keys()) this.#endWaiting(agent)
  }
}

import { z } from 'zod'
import type { Database, Row } from '../../kit/sqlite.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import type { HelperEvent } from '../../wire/events.ts'
import { MANAGER, OPERATOR, SYSTEM } from '../../wire/names.ts'
import { type Delivery, type Message, type MessageState, Parked } from '../../wire/things.ts'
import type { TurnEnd } from '../../wire/turn.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import { createIntervals } from '../intervals.ts'
import { ChangeLog } from './change-log.ts'
import { MessageReader } from './message-reader.ts'
import { decodeMessage, isUndecodable, MESSAGE_COLUMNS, MESSAGES, toDelivery } from './message-row.ts'
import { decideOutcome, MAX_FAILURES, type RetryIntervals } from './outcome.ts'
import { newsOfPark, ParkNews } from './park-news.ts'
import type {
  Ended,
  EndedTurn,
  Leased,
  LeaseRequest,
  MessageFilter,
  NewMessage,
  Page,
  Parking,
  PausedChain,
  Returned,
  Sent,
  Store,
  TurnToEnd,
} from './store.ts'

export interface SqliteStoreOptions {
  readonly db: Database
  /** Messages that an inbox holds before its senders are told `inbox_full`. */
  readonly inboxCap: number
  /** Hops that a chain may take before it asks the operator. */
  readonly maxHops: number
  /** Called within the write that ends a turn, whatever ended it: what it stores is stored with the end, or not at all. */
  readonly onTurnEnd?: (turn: EndedTurn) => void
  readonly intervals?: RetryIntervals
  /** Wall clock, ms. */
  readonly now?: () => number
}

/** A lease as it is kept in memory: what a send needs to know of the turn in progress. */
interface Held {
  readonly id: number
  readonly rootId: number
  readonly hops: number
  readonly woke: boolean
  readonly attempt: number
  readonly failures: number
}

/** A message that can be leased next. */
interface Head {
  readonly message: Message
  /** Steady clock, ms. */
  readonly notBefore: number
}

const PausedChainRow = z
  .object({
    root_id: z.number(),
    reason: z.string(),
    paused_at: z.number(),
    hops: z.number(),
    agents: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  })
  .transform(({ root_id, paused_at, ...same }): PausedChain => ({ ...same, rootId: root_id, since: paused_at }))

/** What is delivered next. */
const NEXT = `SELECT ${MESSAGE_COLUMNS}, not_before FROM ${MESSAGES} WHERE recipient = ? AND state = 'queued' ORDER BY urgent DESC, id`
/** A longer message is read back: an inbox that nobody empties must not keep it in memory. */
const MAX_KEPT_CHARACTERS = 4_096
const NOTHING: Leased = { deliveries: [] }
/** What is leased at once ends when its bodies have so many characters: it travels in one reply. */
const MAX_TAKEN_CHARACTERS = 512 * 1024

/** What lets turns go on and end when the disk is full. */
const ESSENTIAL = { essential: true }

/** The embedded store: messages and leases in one SQLite file that this process alone writes. */
export class SqliteStore implements Store {
  readonly #db: Database
  readonly #reader: MessageReader
  readonly #inboxCap: number
  readonly #maxHops: number
  readonly #onTurnEnd: (turn: EndedTurn) => void
  readonly #intervals: RetryIntervals
  readonly #now: () => number
  readonly #queued = new Map<string, number>()
  readonly #held = new Map<string, Held[]>()
  /** The only message that waits in an inbox, as it was sent: whoever waits for it gets it without its being read back. */
  readonly #only = new Map<string, Head>()
  readonly #epochs = new Map<string, number>()
  readonly #parked = new Map<string, Parked>()
  readonly #undecodable = new Map<string, Undecodable>()
  #changes = new ChangeLog(0)
  #nextId = 1

  constructor({
    db,
    inboxCap,
    maxHops,
    onTurnEnd = () => {},
    intervals = createIntervals(),
    now = Date.now,
  }: SqliteStoreOptions) {
    this.#db = db
    this.#reader = new MessageReader(db)
    this.#inboxCap = inboxCap
    this.#maxHops = maxHops
    this.#onTurnEnd = onTurnEnd
    this.#intervals = intervals
    this.#now = now
    // A longer backoff was made by a clock that stepped.
    const latest = now() + intervals.retryLongestMs
    db.run(`UPDATE messages SET not_before = ? WHERE state = 'queued' AND not_before > ?`, latest, latest)
    db.onRollback(() => this.#load())
    this.#load()
  }

  /** Reads what is kept in memory: small things that every send needs. */
  #load(): void {
    for (const memory of [this.#queued, this.#held, this.#only, this.#epochs, this.#parked]) memory.clear()
    this.#changes = new ChangeLog(Number(this.#db.get('SELECT max(changed) AS n FROM messages')?.n ?? 0))
    this.#nextId = Number(this.#db.get('SELECT max(id) AS n FROM messages')?.n ?? 0) + 1
    for (const row of this.#db.all(
      `SELECT recipient, count(*) AS n FROM messages WHERE state = 'queued' GROUP BY recipient`,
    )) {
      this.#queued.set(String(row.recipient), Number(row.n))
    }
    for (const row of this.#db.all('SELECT agent, epoch, parked FROM inboxes')) {
      this.#epochs.set(String(row.agent), Number(row.epoch))
      if (row.parked !== null) this.#loadParked(String(row.agent), String(row.parked))
    }
    for (const row of this.#db.all(
      `SELECT id, recipient, coalesce(root_id, id) AS root_id, hops, woke, attempt, failures FROM messages WHERE state = 'leased' ORDER BY woke DESC, id`,
    )) {
      this.#remember(String(row.recipient), {
        id: Number(row.id),
        rootId: Number(row.root_id),
        hops: Number(row.hops),
        woke: row.woke === 1,
        attempt: Number(row.attempt),
        failures: Number(row.failures),
      })
    }
  }

  /** Parking that cannot be read is shown, and the agent goes on: whatever it waited for, its next turn finds out. */
  #loadParked(agent: string, text: string): void {
    try {
      this.#parked.set(agent, Parked.parse(JSON.parse(text)))
    } catch (error) {
      this.#undecodable.set(`inboxes ${agent}`, { table: 'inboxes', id: agent, problem: errorText(error) })
    }
  }

  #remember(agent: string, lease: Held): void {
    const held = this.#held.get(agent)
    if (held) held.push(lease)
    else this.#held.set(agent, [lease])
  }

  send(message: NewMessage): Promise<Sent> {
    return this.#db.write(() => {
      const before = message.key === undefined ? [] : this.#idsOf(message.from, message.key)
      if (before.length > 0) return { ids: before }
      const { rootId, hops } = this.#chainOf(message.from)
      // The operator may always be told: nobody is woken by it.
      const isToAgents = message.to.some((to) => to !== OPERATOR)
      const refusal = rootId !== null && isToAgents ? this.#refusalOf(rootId, hops, message) : undefined
      // Refused as a value: a throw would undo the row that asks the operator.
      if (rootId !== null && refusal) return { ids: [], refused: { rootId, ...refusal } }
      if (message.from !== OPERATOR && message.from !== SYSTEM) for (const to of message.to) this.#assertRoom(to)
      const ids = message.to.map((to) => this.#insert(message, to, rootId, hops))
      return { ids, rootId: rootId ?? ids[0] }
    })
  }

  async sentBefore(from: string, key: string): Promise<readonly number[]> {
    return this.#idsOf(from, key)
  }

  #idsOf(from: string, key: string): number[] {
    return this.#db
      .all('SELECT id FROM messages WHERE sender = ? AND key = ? ORDER BY id', from, key)
      .map((row) => Number(row.id))
  }

  /** A message sent during a turn goes on with the chain of what the turn is about. */
  #chainOf(sender: string): { rootId: number | null; hops: number } {
    const farthest = this.#held.get(sender)?.reduce((a, b) => (b.hops > a.hops ? b : a))
    return farthest ? { rootId: farthest.rootId, hops: farthest.hops + 1 } : { rootId: null, hops: 0 }
  }

  /** Why a chain may not go on; pauses it when this is the first refusal. */
  #refusalOf(
    rootId: number,
    hops: number,
    { from, to }: NewMessage,
  ): { reason: string; notified: readonly string[] } | undefined {
    const chain = this.#db.get('SELECT allowed_hops, paused_at, reason, stopped FROM chains WHERE root_id = ?', rootId)
    if (chain?.stopped === 1) return { reason: 'the operator stopped it', notified: [] }
    if (chain && chain.paused_at !== null) return { reason: String(chain.reason), notified: [] }
    const allowed = chain ? Number(chain.allowed_hops) : this.#maxHops
    if (hops <= allowed) return undefined
    const reason = `it went ${allowed} hops without the operator`
    return { reason, notified: this.#pause(rootId, reason, hops - 1, [from, ...to]) }
  }

  #assertRoom(to: string): void {
    if (to !== OPERATOR && (this.#queued.get(to) ?? 0) >= this.#inboxCap) {
      throw new HiveError('inbox_full', `${to} has ${this.#inboxCap} unread messages`, { hint: 'send again later' })
    }
  }

  #insert({ from, body, replyTo, key }: NewMessage, to: string, rootId: number | null, hops: number): number {
    const now = this.#now()
    const done = to === OPERATOR
    const id = this.#nextId
    this.#db.run(
      `INSERT INTO messages (id, sender, recipient, sent_at, root_id, hops, reply_to, key, state, urgent, done_at, changed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      from,
      to,
      now,
      rootId,
      hops,
      replyTo ?? null,
      key ?? null,
      done ? 'done' : 'queued',
      from === OPERATOR ? 1 : 0,
      done ? now : null,
      this.#changes.record(id),
    )
    this.#db.run('INSERT INTO bodies (id, body) VALUES (?, ?)', id, body)
    this.#nextId += 1
    if (done) return id
    const isOnly = this.queued(to) === 0
    this.#addQueued(to, 1)
    if (isOnly && body.length <= MAX_KEPT_CHARACTERS) {
      const route = { id, from, to, sentAt: now, rootId: rootId ?? id, hops, replyTo: replyTo ?? null }
      const fresh = { state: 'queued', attempt: 0, failures: 0, doneAt: null, error: null } as const
      this.#only.set(to, { message: { ...route, body, ...fresh }, notBefore: 0 })
    }
    return id
  }

  #addQueued(agent: string, n: number): void {
    this.#only.delete(agent)
    this.#queued.set(agent, (this.#queued.get(agent) ?? 0) + n)
  }

  epoch(agent: string): number {
    return this.#epochs.get(agent) ?? 0
  }

  async beginEpoch(agent: string, returned: Returned): Promise<{ epoch: number; notified: readonly string[] }> {
    return this.#db.write(() => {
      const notified = this.#takeBack(agent, returned)
      this.#ensureInbox(agent)
      this.#db.run('UPDATE inboxes SET epoch = epoch + 1 WHERE agent = ?', agent)
      const epoch = this.epoch(agent) + 1
      this.#epochs.set(agent, epoch)
      return { epoch, notified }
    }, ESSENTIAL)
  }

  async reclaim(agent: string, returned: Returned): Promise<{ notified: readonly string[] }> {
    if (!this.holds(agent)) return { notified: [] }
    return this.#db.write(() => ({ notified: this.#takeBack(agent, returned) }), ESSENTIAL)
  }

  #ensureInbox(agent: string): void {
    this.#db.run('INSERT INTO inboxes (agent) VALUES (?) ON CONFLICT DO NOTHING', agent)
  }

  #takeBack(agent: string, { charge, reason }: Returned): string[] {
    const notified: string[] = []
    const woke = this.#held.get(agent)?.find((one) => one.woke)
    if (woke) this.#settle(agent, this.epoch(agent), woke, { reason: charge ? 'crash' : 'interrupted' })
    for (const held of this.#held.get(agent) ?? []) {
      const failures = held.failures + (charge && held.woke ? 1 : 0)
      if (failures >= MAX_FAILURES) notified.push(...this.#makeDead(held.id, failures, reason))
      else this.#queueAgain(agent, held.id, failures, reason, null)
    }
    this.#held.delete(agent)
    return notified
  }

  #settle(
    agent: string,
    epoch: number,
    { id, attempt }: Held,
    { reason, usage }: Pick<TurnEnd, 'reason' | 'usage'>,
    parkedFor?: Parked['reason'],
  ): void {
    this.#onTurnEnd({ agent, epoch, message: id, attempt, at: this.#now(), reason, usage, parkedFor })
  }

  #queueAgain(agent: string, id: number, failures: number, error: string | null, notBefore: number | null): void {
    this.#db.run(
      `UPDATE messages SET state = 'queued', epoch = NULL, woke = 0, failures = ?, error = ?, not_before = ?, changed = ? WHERE id = ?`,
      failures,
      error,
      notBefore,
      this.#changes.record(id),
      id,
    )
    this.#addQueued(agent, 1)
  }

  /** Tells the sender and the manager, once, in the same commit. Gives whom it told. */
  #makeDead(id: number, failures: number, error: string): string[] {
    this.#db.run('UPDATE messages SET failures = ? WHERE id = ?', failures, id)
    this.#markDead(id, error)
    const message = this.#reader.find(id)
    return message && !isUndecodable(message) ? this.#tellOfDeath(message, error) : []
  }

  #markDead(id: number, error: string): void {
    this.#db.run(
      `UPDATE messages SET state = 'dead', epoch = NULL, woke = 0, error = ?, done_at = ?, changed = ? WHERE id = ?`,
      error,
      this.#now(),
      this.#changes.record(id),
      id,
    )
  }

  /** `more`: so many others of the same sender died with it. */
  #tellOfDeath({ id, from, to, body, rootId, hops }: Message, reason: string, more = 0): string[] {
    if (from === SYSTEM) return []
    const event: HelperEvent = { event: 'message_dead', id, from, to, reason, body: body.slice(0, 500), more }
    return this.#tell(new Set([from, MANAGER]), event, rootId, hops)
  }

  /** News belong to the chain that they are about: what is sent because of them goes on with it. */
  #tell(whom: Set<string>, event: HelperEvent, rootId: number | null, hops: number): string[] {
    const agents = [...whom].filter((name) => name !== OPERATOR)
    for (const to of agents) this.#insert({ from: SYSTEM, to: [to], body: JSON.stringify(event) }, to, rootId, hops)
    return agents
  }

  lease(agent: string, { epoch, joins, max = 1, now }: LeaseRequest): Promise<Leased> {
    if (this.queued(agent) === 0 && !this.#db.hasPendingWrites()) return Promise.resolve(NOTHING)
    return this.#db.write(() => {
      const held = this.#held.get(agent) ?? []
      if (epoch !== this.epoch(agent)) throw new HiveError('stale_lease', 'a newer harness has taken over')
      if (joins !== held.length > 0)
        throw new HiveError('conflict', joins ? 'no turn is in progress' : 'a turn is in progress')
      const only = this.#only.get(agent)
      const heads = only ? [only] : this.#headsOf(agent, max)
      const taken = chooseTaken(heads, held, now)
      const [first] = taken
      if (!first) return heads[0] && heads[0].notBefore > now ? { ...NOTHING, waitUntil: heads[0].notBefore } : NOTHING
      for (const { id } of taken) {
        this.#db.run(
          `UPDATE messages SET state = 'leased', attempt = attempt + 1, epoch = ?, woke = ?, not_before = NULL, changed = ? WHERE id = ?`,
          epoch,
          !joins && id === first.id ? 1 : 0,
          this.#changes.record(id),
          id,
        )
      }
      this.#addQueued(agent, -taken.length)
      const pending = this.queued(agent)
      return {
        deliveries: taken.map((message) => {
          const { id, rootId, hops, failures } = message
          const attempt = message.attempt + 1
          this.#remember(agent, { id, rootId, hops, attempt, failures, woke: !joins && message === first })
          return toDelivery({ ...message, attempt }, pending)
        }),
      }
    }, ESSENTIAL)
  }

  /** The next messages of an inbox that can be read, `count` at most; those that cannot are noted and passed over. */
  #headsOf(agent: string, count: number): Head[] {
    const heads: Head[] = []
    for (let offset = 0; ; offset += count) {
      // The limit is written out: SQLite compiles the statement anew for each bound one.
      const rows = this.#db.all(`${NEXT} LIMIT ${count} OFFSET ?`, agent, offset)
      heads.push(...rows.flatMap((row) => this.#readHead(row)))
      if (heads.length >= count || rows.length < count) return heads.slice(0, count)
    }
  }

  #readHead(row: Row): Head[] {
    const message = decodeMessage(row)
    if (!isUndecodable(message)) return [{ message, notBefore: Number(row.not_before ?? 0) }]
    this.#undecodable.set(message.id, message)
    return []
  }

  async undecodable(): Promise<Undecodable[]> {
    for (const [key, { table, id }] of this.#undecodable) {
      // It was mended meanwhile, or is gone.
      const found = table === 'messages' ? this.#reader.find(Number(id)) : undefined
      if (table === 'messages' && !(found && isUndecodable(found))) this.#undecodable.delete(key)
    }
    return [...this.#undecodable.values()]
  }

  holds(agent: string): boolean {
    return this.#held.has(agent)
  }

  queued(agent: string): number {
    return this.#queued.get(agent) ?? 0
  }

  heldIds(agent: string): number[] {
    return (this.#held.get(agent) ?? []).map(({ id }) => id)
  }

  async held(agent: string, epoch: number): Promise<Delivery[]> {
    if (epoch !== this.epoch(agent)) return []
    const pending = this.#queued.get(agent) ?? 0
    return this.heldIds(agent).flatMap((id) => {
      const message = this.#reader.find(id)
      return message && !isUndecodable(message) ? [toDelivery(message, pending)] : []
    })
  }

  endTurn(agent: string, turn: TurnToEnd): Promise<Ended> {
    return this.#db.write(() => {
      const held = this.#held.get(agent) ?? []
      const named = new Set(turn.ids)
      const ended = held.filter(({ id }) => named.has(id))
      if (turn.epoch !== this.epoch(agent) || ended.length !== turn.ids.length || !ended.some((one) => one.woke)) {
        throw new HiveError('stale_lease', `epoch ${turn.epoch} does not hold messages ${turn.ids.join(', ')}`)
      }
      const inbox = this.#db.get('SELECT streak, auth_failures, told_park FROM inboxes WHERE agent = ?', agent)
      const streak = Number(inbox?.streak ?? 0)
      const authFailures = Number(inbox?.auth_failures ?? 0)
      const woke = held.find((one) => one.woke) ?? (held[0] as Held)
      const counters = { failures: woke.failures, streak, authFailures }
      const moment = { now: turn.now, wallNow: this.#now(), random: turn.random }
      const outcome = decideOutcome(turn.end, turn.accepted, counters, moment, this.#intervals)
      this.#held.delete(agent)
      const parkedFor = outcome.message === 'retry' ? outcome.park?.reason : undefined
      this.#settle(agent, turn.epoch, woke, turn.end, parkedFor)

      const { reason } = turn.end
      const unavailable = reason === 'overloaded' || reason === 'network'
      const [newStreak, newAuthFailures] = [unavailable ? streak + 1 : 0, reason === 'auth' ? authFailures + 1 : 0]
      if (newStreak !== streak || newAuthFailures !== authFailures) {
        this.#db.run(
          'UPDATE inboxes SET streak = ?, auth_failures = ? WHERE agent = ?',
          newStreak,
          newAuthFailures,
          agent,
        )
      }

      if (reason === 'ok' && inbox?.told_park) {
        this.#db.run('UPDATE inboxes SET told_park = NULL WHERE agent = ?', agent)
      }

      if (outcome.message === 'done') {
        this.#finish(
          ended.map(({ id }) => id),
          outcome.error ?? null,
        )
        // Leased, but the harness does not know of it: its reply was lost, or another process took it.
        for (const { id, failures } of held) if (!named.has(id)) this.#queueAgain(agent, id, failures, null, null)
        return { action: 'done', notified: [] }
      }
      for (const { id, failures } of held) if (id !== woke.id) this.#queueAgain(agent, id, failures, null, null)
      if (outcome.message === 'dead') {
        return { action: 'dead', notified: this.#makeDead(woke.id, woke.failures + 1, outcome.error) }
      }
      this.#queueAgain(
        agent,
        woke.id,
        woke.failures + (outcome.charge ? 1 : 0),
        outcome.error,
        outcome.notBefore ?? null,
      )
      if (!outcome.park) return { action: 'retry', notified: [] }
      return { action: 'parked', ...this.#park(agent, outcome.park, woke) }
    }, ESSENTIAL)
  }

  async park(agent: string, parking: Parking): Promise<{ parked: Parked; notified: readonly string[] }> {
    return this.#db.write(() => {
      const parked = this.parked(agent)
      return parked ? { parked, notified: [] } : this.#park(agent, parking)
    }, ESSENTIAL)
  }

  /** Tells the manager in the same commit, if it is news. `woke`: what woke the turn that it follows from. */
  #park(agent: string, parking: Parking, woke?: Held): { parked: Parked; notified: readonly string[] } {
    const { reason, detail, until } = parking
    const parked: Parked = { reason, detail, since: this.#now(), until }
    this.#db.run('UPDATE inboxes SET parked = ? WHERE agent = ?', JSON.stringify(parked), agent)
    this.#parked.set(agent, parked)
    const news = newsOfPark(agent, parking, this.#toldOfPark(agent))
    if (!news) return { parked, notified: [] }
    this.#db.run('UPDATE inboxes SET told_park = ? WHERE agent = ?', JSON.stringify(news), agent)
    const event: HelperEvent = { event: 'agent_parked', agent, reason, until }
    return { parked, notified: this.#tell(new Set([MANAGER]), event, woke?.rootId ?? null, woke?.hops ?? 0) }
  }

  #toldOfPark(agent: string): ParkNews | undefined {
    const text = this.#db.get('SELECT told_park FROM inboxes WHERE agent = ?', agent)?.told_park
    if (typeof text !== 'string') return undefined
    try {
      return ParkNews.parse(JSON.parse(text))
    } catch {
      return undefined // Told once more: that mends it.
    }
  }

  #finish(ids: readonly number[], error: string | null): void {
    const before = this.#changes.position
    for (const id of ids) this.#changes.record(id)
    this.#db.run(
      `UPDATE messages SET state = 'done', epoch = NULL, woke = 0, error = ?, done_at = ?, changed = ? + 1 + ended.key
       FROM json_each(?) AS ended WHERE messages.id = ended.value`,
      error,
      this.#now(),
      before,
      JSON.stringify(ids),
    )
  }

  parked(agent: string): Parked | null {
    return this.#parked.get(agent) ?? null
  }

  async unpark(agent: string): Promise<void> {
    await this.#db.write(() => {
      this.#clearInbox(agent)
    }, ESSENTIAL)
  }

  #clearInbox(agent: string): void {
    this.#db.run('UPDATE inboxes SET parked = NULL, auth_failures = 0, streak = 0 WHERE agent = ?', agent)
    this.#parked.delete(agent)
    this.#undecodable.delete(`inboxes ${agent}`)
  }

  async get(id: number): Promise<Message | undefined> {
    return this.#reader.get(id)
  }

  async list(filter: MessageFilter): Promise<Page> {
    return { ...this.#reader.newest(filter), cursor: this.#changes.position }
  }

  async waiting(agent: string, limit: number): Promise<Message[]> {
    return this.#reader.waiting(agent, limit)
  }

  async changes(cursor: number, filter: MessageFilter): Promise<Page> {
    // Without the log, that is after a restart or for whoever lags far behind, every row is looked at.
    return this.#reader.changed(cursor, this.#changes.since(cursor)?.slice(0, filter.limit), filter)
  }

  pending(agent: string): number {
    return (this.#queued.get(agent) ?? 0) + (this.#held.get(agent)?.length ?? 0)
  }

  async count(): Promise<Record<MessageState, number>> {
    return this.#reader.count()
  }

  async deadLetters(): Promise<Page> {
    return { ...this.#reader.deadLetters(), cursor: this.#changes.position }
  }

  async countDeadLetters(): Promise<number> {
    return this.#reader.countDeadLetters()
  }

  async requeue(id: number): Promise<Message> {
    return this.#db.write(() => {
      const message = this.#assertDead(id)
      this.#db.run('UPDATE messages SET dismissed = 0, done_at = NULL WHERE id = ?', id)
      this.#queueAgain(message.to, id, 0, null, null)
      return { ...message, state: 'queued', failures: 0, error: null, doneAt: null }
    })
  }

  async drop(id: number): Promise<Message> {
    return this.#db.write(() => {
      const message = this.#assertDead(id)
      this.#db.run('UPDATE messages SET dismissed = 1, changed = ? WHERE id = ?', this.#changes.record(id), id)
      return message
    })
  }

  #assertDead(id: number): Message {
    const message = this.#reader.get(id)
    if (!message) throw new HiveError('not_found', `no message ${id}`)
    if (message.state !== 'dead') throw new HiveError('conflict', `message ${id} is ${message.state}, not dead`)
    return message
  }

  async pausedChains(): Promise<PausedChain[]> {
    const rows = this.#db.all(
      'SELECT root_id, reason, paused_at, hops, agents FROM chains WHERE paused_at IS NOT NULL AND stopped = 0 ORDER BY paused_at',
    )
    return rows.flatMap((row) => {
      const id = String(row.root_id)
      try {
        return [PausedChainRow.parse(row)]
      } catch (error) {
        this.#undecodable.set(`chains ${id}`, { table: 'chains', id, problem: errorText(error) })
        return []
      }
    })
  }

  async pauseChain(root: number, reason: string, agents: readonly string[]): Promise<{ notified: readonly string[] }> {
    return this.#db.write(() => {
      const farthest = agents.flatMap((agent) => this.#held.get(agent) ?? []).filter(({ rootId }) => rootId === root)
      return { notified: this.#pause(root, reason, Math.max(0, ...farthest.map(({ hops }) => hops)), agents) }
    })
  }

  #pause(root: number, reason: string, hops: number, agents: readonly string[]): string[] {
    const chain = this.#db.get('SELECT paused_at, stopped FROM chains WHERE root_id = ?', root)
    if (chain && (chain.paused_at !== null || chain.stopped === 1)) return []
    const parties = [...new Set(agents)].filter((name) => name !== OPERATOR)
    this.#db.run(
      `INSERT INTO chains (root_id, allowed_hops, paused_at, reason, hops, agents) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET paused_at = excluded.paused_at, reason = excluded.reason, hops = excluded.hops,
         agents = excluded.agents`,
      root,
      this.#maxHops,
      this.#now(),
      reason,
      hops,
      JSON.stringify(parties),
    )
    return this.#tell(new Set([MANAGER]), { event: 'chain_paused', rootId: root, reason }, root, hops)
  }

  async allowChain(root: number, hops: number): Promise<void> {
    await this.#db.write(() => {
      const { changes } = this.#db.run(
        'UPDATE chains SET allowed_hops = allowed_hops + ?, paused_at = NULL, stopped = 0 WHERE root_id = ?',
        hops,
        root,
      )
      if (changes === 0) throw new HiveError('not_found', `the chain of message ${root} is not paused`)
    })
  }

  async stopChain(root: number): Promise<void> {
    await this.#db.write(() => {
      const { changes } = this.#db.run('UPDATE chains SET stopped = 1 WHERE root_id = ?', root)
      if (changes === 0) throw new HiveError('not_found', `the chain of message ${root} is not paused`)
    })
  }

  async bury(agent: string, reason: string): Promise<{ notified: readonly string[] }> {
    return this.#db.write(() => {
      const bySender = new Map<string, { first: number; count: number }>()
      for (const { id, sender } of this.#db.all(
        `SELECT id, sender FROM messages WHERE recipient = ? AND state = 'queued' ORDER BY id`,
        agent,
      )) {
        const theirs = bySender.get(String(sender))
        if (theirs) theirs.count += 1
        else bySender.set(String(sender), { first: Number(id), count: 1 })
        this.#markDead(Number(id), reason)
      }
      this.#db.run('DELETE FROM inboxes WHERE agent = ?', agent)
      for (const memory of [this.#queued, this.#only, this.#epochs, this.#parked]) memory.delete(agent)
      this.#undecodable.delete(`inboxes ${agent}`)
      const notified = [...bySender.values()].flatMap(({ first, count }) => {
        const message = this.#reader.find(first)
        return message && !isUndecodable(message) ? this.#tellOfDeath(message, reason, count - 1) : []
      })
      return { notified: [...new Set(notified)] }
    }, ESSENTIAL)
  }

  async vacuum(before: number, limit: number): Promise<number> {
    return this.#db.write(() => {
      const old = this.#db.all(
        // The newest row stays, so that no id is ever used again.
        `SELECT id FROM messages
         WHERE done_at < ? AND (state = 'done' OR dismissed = 1) AND id < (SELECT max(id) FROM messages) LIMIT ?`,
        before,
        limit,
      )
      for (const { id } of old) {
        this.#db.run('DELETE FROM bodies WHERE id = ?', Number(id))
        this.#db.run('DELETE FROM messages WHERE id = ?', Number(id))
      }
      return old.length
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#db.close()
  }
}

/** Which of the next messages a turn may take now; `held` is what it has already. */
function chooseTaken(heads: readonly Head[], held: readonly Held[], now: number): Message[] {
  const taken: Message[] = []
  let characters = 0
  for (const { message, notBefore } of heads) {
    if (notBefore > now) break
    // What failed before is delivered alone, so that the failure is charged to the right one.
    const isAlone = held.length === 0 && taken.length === 0
    if (!isAlone && [message, ...held, ...taken.slice(0, 1)].some(({ failures }) => failures > 0)) break
    taken.push(message)
    characters += message.body.length
    if (characters >= MAX_TAKEN_CHARACTERS) break
  }
  return taken
}

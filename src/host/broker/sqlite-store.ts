import type { Database, Row } from '../../kit/sqlite.ts'
import { HiveError } from '../../wire/errors.ts'
import type { HelperEvent } from '../../wire/events.ts'
import { MANAGER, OPERATOR, SYSTEM } from '../../wire/names.ts'
import { type Delivery, type Message, type MessageState, Parked, type Undecodable } from '../../wire/things.ts'
import { ChangeLog } from './change-log.ts'
import { decodeMessage, isUndecodable, MESSAGE_COLUMNS, MESSAGES, toDelivery } from './message-row.ts'
import { decideOutcome, MAX_FAILURES } from './outcome.ts'
import type {
  Ended,
  Leased,
  LeaseRequest,
  MessageFilter,
  NewMessage,
  Page,
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
  /** Wall clock, ms. */
  readonly now?: () => number
}

/** A lease as it is kept in memory: what a send needs to know of the turn in progress. */
interface Held {
  readonly id: number
  readonly rootId: number
  readonly hops: number
  readonly woke: boolean
  readonly failures: number
}

/** A message that can be leased next. */
interface Head {
  readonly message: Message
  /** Steady clock, ms. */
  readonly notBefore: number
}

/** How long a stored backoff can be at most; a longer one was made by a clock that stepped. */
const LONGEST_BACKOFF_MS = 300_000

/** So many messages are read at once for a turn that takes more than one. */
const AHEAD = 16

/** What lets turns go on and end when the disk is full. */
const ESSENTIAL = { essential: true }

/** The embedded store: messages and leases in one SQLite file that this process alone writes. */
export class SqliteStore implements Store {
  readonly #db: Database
  readonly #inboxCap: number
  readonly #maxHops: number
  readonly #now: () => number
  readonly #queued = new Map<string, number>()
  readonly #held = new Map<string, Held[]>()
  /** What comes next in an inbox, as far as it was read; forgotten when something else may come first. */
  readonly #ahead = new Map<string, Head[]>()
  readonly #epochs = new Map<string, number>()
  readonly #parked = new Map<string, Parked>()
  readonly #undecodable = new Map<string, Undecodable>()
  #changes = new ChangeLog(0)
  #nextId = 1

  constructor({ db, inboxCap, maxHops, now = Date.now }: SqliteStoreOptions) {
    this.#db = db
    this.#inboxCap = inboxCap
    this.#maxHops = maxHops
    this.#now = now
    db.run(
      `UPDATE messages SET not_before = ? WHERE state = 'queued' AND not_before > ?`,
      now() + LONGEST_BACKOFF_MS,
      now() + LONGEST_BACKOFF_MS,
    )
    db.onRollback(() => this.#load())
    this.#load()
  }

  /** Reads what is kept in memory: small things that every send needs. */
  #load(): void {
    for (const memory of [this.#queued, this.#held, this.#ahead, this.#epochs, this.#parked]) memory.clear()
    this.#changes = new ChangeLog(Number(this.#db.get('SELECT max(changed) AS n FROM messages')?.n ?? 0))
    this.#nextId = Number(this.#db.get('SELECT max(id) AS n FROM messages')?.n ?? 0) + 1
    for (const row of this.#db.all(
      `SELECT recipient, count(*) AS n FROM messages WHERE state = 'queued' GROUP BY recipient`,
    )) {
      this.#queued.set(String(row.recipient), Number(row.n))
    }
    for (const row of this.#db.all('SELECT agent, epoch, parked FROM inboxes')) {
      this.#epochs.set(String(row.agent), Number(row.epoch))
      if (row.parked !== null) this.#parked.set(String(row.agent), Parked.parse(JSON.parse(String(row.parked))))
    }
    for (const row of this.#db.all(
      `SELECT id, recipient, coalesce(root_id, id) AS root_id, hops, woke, failures FROM messages WHERE state = 'leased' ORDER BY woke DESC, id`,
    )) {
      this.#remember(String(row.recipient), {
        id: Number(row.id),
        rootId: Number(row.root_id),
        hops: Number(row.hops),
        woke: row.woke === 1,
        failures: Number(row.failures),
      })
    }
  }

  #remember(agent: string, lease: Held): void {
    const held = this.#held.get(agent)
    if (held) held.push(lease)
    else this.#held.set(agent, [lease])
  }

  async send(message: NewMessage): Promise<Sent> {
    return this.#db.write(() => {
      const before = message.key === undefined ? [] : this.#idsOf(message.from, message.key)
      if (before.length > 0) return { ids: before }
      const { rootId, hops } = this.#chainOf(message.from)
      const refusal = rootId === null ? undefined : this.#refusalOf(rootId, hops)
      // Refused as a value: a throw would undo the row that asks the operator.
      if (rootId !== null && refusal) return { ids: [], refused: { rootId, ...refusal } }
      for (const to of message.to) this.#assertRoom(to)
      const ids = message.to.map((to) => this.#insert(message, to, rootId, hops))
      return { ids, rootId: rootId ?? ids[0] }
    })
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
  #refusalOf(rootId: number, hops: number): { reason: string; notified: readonly string[] } | undefined {
    const chain = this.#db.get('SELECT allowed_hops, paused_at, reason, stopped FROM chains WHERE root_id = ?', rootId)
    if (chain?.stopped === 1) return { reason: 'the operator stopped it', notified: [] }
    if (chain && chain.paused_at !== null) return { reason: String(chain.reason), notified: [] }
    const allowed = chain ? Number(chain.allowed_hops) : this.#maxHops
    if (hops <= allowed) return undefined
    const reason = `it went ${allowed} hops without the operator`
    return { reason, notified: this.#pause(rootId, reason) }
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
    if (from === OPERATOR) this.#ahead.delete(to)
    if (!done) this.#addQueued(to, 1)
    return id
  }

  #addQueued(agent: string, n: number): void {
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
    for (const held of this.#held.get(agent) ?? []) {
      const failures = held.failures + (charge && held.woke ? 1 : 0)
      if (failures >= MAX_FAILURES) notified.push(...this.#makeDead(held.id, failures, reason))
      else this.#queueAgain(agent, held.id, failures, reason, null)
    }
    this.#held.delete(agent)
    return notified
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
    this.#ahead.delete(agent)
    this.#addQueued(agent, 1)
  }

  /** Tells the sender and the manager, once, in the same commit. Gives whom it told. */
  #makeDead(id: number, failures: number, error: string): string[] {
    this.#db.run(
      `UPDATE messages SET state = 'dead', epoch = NULL, woke = 0, failures = ?, error = ?, done_at = ?, changed = ? WHERE id = ?`,
      failures,
      error,
      this.#now(),
      this.#changes.record(id),
      id,
    )
    const message = this.get(id)
    if (!message || message.from === SYSTEM) return []
    const event: HelperEvent = {
      event: 'message_dead',
      id,
      from: message.from,
      to: message.to,
      reason: error,
      body: message.body.slice(0, 500),
    }
    return this.#tell(new Set([message.from, MANAGER]), event)
  }

  #tell(whom: Set<string>, event: HelperEvent): string[] {
    const agents = [...whom].filter((name) => name !== OPERATOR)
    for (const to of agents) this.#insert({ from: SYSTEM, to: [to], body: JSON.stringify(event) }, to, null, 0)
    return agents
  }

  async lease(agent: string, { epoch, joins, now }: LeaseRequest): Promise<Leased> {
    if ((this.#queued.get(agent) ?? 0) === 0 && !this.#db.hasPendingWrites()) return {}
    return this.#db.write(() => {
      const held = this.#held.get(agent) ?? []
      if (epoch !== this.epoch(agent)) throw new HiveError('stale_lease', 'a newer harness has taken over')
      if (joins !== held.length > 0)
        throw new HiveError('conflict', joins ? 'no turn is in progress' : 'a turn is in progress')
      const head = this.#headOf(agent, joins ? AHEAD : 1)
      if (!head) return {}
      const { message, notBefore } = head
      if (notBefore > now) return { waitUntil: notBefore }
      // What failed before is delivered alone, so that the failure is charged to the right one.
      if (joins && (message.failures > 0 || held.some((one) => one.failures > 0))) return {}
      this.#db.run(
        `UPDATE messages SET state = 'leased', attempt = attempt + 1, epoch = ?, woke = ?, not_before = NULL, changed = ? WHERE id = ?`,
        epoch,
        joins ? 0 : 1,
        this.#changes.record(message.id),
        message.id,
      )
      this.#ahead.get(agent)?.shift()
      this.#addQueued(agent, -1)
      const { id, rootId, hops, failures } = message
      this.#remember(agent, { id, rootId, hops, failures, woke: !joins })
      return { delivery: toDelivery({ ...message, attempt: message.attempt + 1 }, this.#queued.get(agent) ?? 0) }
    }, ESSENTIAL)
  }

  /** The next message of an inbox that can be read; one that cannot is noted and passed over. `count` are read at once. */
  #headOf(agent: string, count: number): Head | undefined {
    const [known] = this.#ahead.get(agent) ?? []
    if (known) return known
    for (let offset = 0; ; offset += count) {
      const rows = this.#db.all(
        // The limit is written out: SQLite compiles the statement anew for each bound one.
        `SELECT ${MESSAGE_COLUMNS}, not_before FROM ${MESSAGES} WHERE recipient = ? AND state = 'queued' ORDER BY urgent DESC, id LIMIT ${count} OFFSET ?`,
        agent,
        offset,
      )
      const heads = rows.flatMap((row) => this.#readHead(row))
      this.#ahead.set(agent, heads)
      if (heads.length > 0 || rows.length < count) return heads[0]
    }
  }

  #readHead(row: Row): Head[] {
    const message = decodeMessage(row)
    if (!isUndecodable(message)) return [{ message, notBefore: Number(row.not_before ?? 0) }]
    this.#undecodable.set(message.id, message)
    return []
  }

  undecodable(): Undecodable[] {
    return [...this.#undecodable.values()]
  }

  holds(agent: string): boolean {
    return this.#held.has(agent)
  }

  queued(agent: string): number {
    return this.#queued.get(agent) ?? 0
  }

  held(agent: string, epoch: number): Delivery[] {
    if (epoch !== this.epoch(agent)) return []
    const pending = this.#queued.get(agent) ?? 0
    return (this.#held.get(agent) ?? []).flatMap(({ id }) => {
      const message = this.get(id)
      return message ? [toDelivery(message, pending)] : []
    })
  }

  async endTurn(agent: string, turn: TurnToEnd): Promise<Ended> {
    return this.#db.write(() => {
      const held = this.#held.get(agent) ?? []
      const named = new Set(turn.ids)
      const ended = held.filter(({ id }) => named.has(id))
      if (turn.epoch !== this.epoch(agent) || ended.length !== turn.ids.length || !ended.some((one) => one.woke)) {
        throw new HiveError('stale_lease', `epoch ${turn.epoch} does not hold messages ${turn.ids.join(', ')}`)
      }
      const inbox = this.#db.get('SELECT streak, auth_failures FROM inboxes WHERE agent = ?', agent)
      const streak = Number(inbox?.streak ?? 0)
      const authFailures = Number(inbox?.auth_failures ?? 0)
      const woke = held.find((one) => one.woke) ?? (held[0] as Held)
      const counters = { failures: woke.failures, streak, authFailures }
      const outcome = decideOutcome(turn.end, turn.accepted, counters, turn.now, turn.random)
      this.#held.delete(agent)
      this.#ahead.delete(agent)

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
      const parked = { ...outcome.park, since: this.#now() }
      this.#db.run('UPDATE inboxes SET parked = ? WHERE agent = ?', JSON.stringify(parked), agent)
      this.#parked.set(agent, parked)
      return { action: 'parked', parked, notified: [] }
    }, ESSENTIAL)
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
      this.#db.run('UPDATE inboxes SET parked = NULL, auth_failures = 0, streak = 0 WHERE agent = ?', agent)
      this.#parked.delete(agent)
    })
  }

  get(id: number): Message | undefined {
    const row = this.#db.get(`SELECT ${MESSAGE_COLUMNS} FROM ${MESSAGES} WHERE id = ?`, id)
    if (!row) return undefined
    const message = decodeMessage(row)
    if (isUndecodable(message)) throw new HiveError('internal', `message ${id} cannot be decoded: ${message.problem}`)
    return message
  }

  list(filter: MessageFilter): Page {
    const page = this.#page('1', [], filter, 'id DESC')
    return { ...page, messages: page.messages.reverse() }
  }

  changes(cursor: number, filter: MessageFilter): Page {
    const ids = this.#changes.since(cursor)?.slice(0, filter.limit)
    // Without the log, that is after a restart or for whoever lags far behind, every row is looked at.
    const rows = this.#db.all(
      `SELECT ${MESSAGE_COLUMNS}, changed FROM ${MESSAGES}
       WHERE ${ids ? 'id IN (SELECT value FROM json_each(?))' : 'changed > ?'} ORDER BY changed LIMIT ?`,
      ids ? JSON.stringify(ids) : cursor,
      filter.limit,
    )
    const page = decodePage(rows)
    const last = rows.at(-1)
    const wanted = page.messages.filter(
      (message) =>
        (!filter.agent || message.from === filter.agent || message.to === filter.agent) &&
        (!filter.state || message.state === filter.state),
    )
    return { ...page, messages: wanted, cursor: last ? Number(last.changed) : cursor }
  }

  #page(condition: string, values: (string | number)[], filter: MessageFilter, order: string): Page {
    const conditions = [condition]
    if (filter.agent) {
      conditions.push('(sender = ? OR recipient = ?)')
      values.push(filter.agent, filter.agent)
    }
    if (filter.recipient) {
      conditions.push('recipient = ?')
      values.push(filter.recipient)
    }
    if (filter.state) {
      conditions.push('state = ?')
      values.push(filter.state)
    }
    const sql = `SELECT ${MESSAGE_COLUMNS} FROM ${MESSAGES} WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT ?`
    return { ...decodePage(this.#db.all(sql, ...values, filter.limit)), cursor: this.#changes.position }
  }

  pending(agent: string): number {
    return (this.#queued.get(agent) ?? 0) + (this.#held.get(agent)?.length ?? 0)
  }

  count(): Record<MessageState, number> {
    const counts = { queued: 0, leased: 0, done: 0, dead: 0 }
    for (const row of this.#db.all('SELECT state, count(*) AS n FROM messages GROUP BY state')) {
      counts[row.state as MessageState] = Number(row.n)
    }
    return counts
  }

  deadLetters(): Page {
    return this.#page(`state = 'dead' AND dismissed = 0`, [], { limit: 1000 }, 'id')
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
    const message = this.get(id)
    if (!message) throw new HiveError('not_found', `no message ${id}`)
    if (message.state !== 'dead') throw new HiveError('conflict', `message ${id} is ${message.state}, not dead`)
    return message
  }

  pausedChains(): PausedChain[] {
    return this.#db
      .all(
        'SELECT root_id, reason, paused_at FROM chains WHERE paused_at IS NOT NULL AND stopped = 0 ORDER BY paused_at',
      )
      .map((row) => {
        const rootId = Number(row.root_id)
        const of = this.#db.all(
          'SELECT sender, recipient, hops FROM messages WHERE id = ? OR root_id = ? ORDER BY id DESC LIMIT 100',
          rootId,
          rootId,
        )
        return {
          rootId,
          reason: String(row.reason),
          since: Number(row.paused_at),
          hops: Math.max(0, ...of.map((one) => Number(one.hops))),
          agents: [...new Set(of.flatMap((one) => [String(one.sender), String(one.recipient)]))].filter(
            (name) => name !== OPERATOR,
          ),
        }
      })
  }

  async pauseChain(root: number, reason: string): Promise<{ notified: readonly string[] }> {
    return this.#db.write(() => ({ notified: this.#pause(root, reason) }))
  }

  #pause(root: number, reason: string): string[] {
    const chain = this.#db.get('SELECT paused_at, stopped FROM chains WHERE root_id = ?', root)
    if (chain && (chain.paused_at !== null || chain.stopped === 1)) return []
    this.#db.run(
      `INSERT INTO chains (root_id, allowed_hops, paused_at, reason) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET paused_at = excluded.paused_at, reason = excluded.reason`,
      root,
      this.#maxHops,
      this.#now(),
      reason,
    )
    return this.#tell(new Set([MANAGER]), { event: 'chain_paused', rootId: root, reason })
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

  async bury(agent: string, reason: string): Promise<void> {
    await this.#db.write(() => {
      for (const row of this.#db.all(
        `SELECT id, failures FROM messages WHERE recipient = ? AND state = 'queued'`,
        agent,
      )) {
        this.#makeDead(Number(row.id), Number(row.failures), reason)
        this.#addQueued(agent, -1)
      }
      this.#db.run('DELETE FROM inboxes WHERE agent = ?', agent)
      for (const memory of [this.#ahead, this.#epochs, this.#parked]) memory.delete(agent)
    })
  }

  async vacuum(before: number, limit: number): Promise<number> {
    return this.#db.write(() => {
      const old = this.#db.all(
        // The newest row stays, so that no id is ever used again.
        `SELECT id FROM messages WHERE state = 'done' AND done_at < ? AND id < (SELECT max(id) FROM messages) LIMIT ?`,
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

function decodePage(rows: Record<string, unknown>[]): Pick<Page, 'messages' | 'errors'> {
  const messages: Message[] = []
  const errors: Undecodable[] = []
  for (const row of rows) {
    const decoded = decodeMessage(row)
    if (isUndecodable(decoded)) errors.push(decoded)
    else messages.push(decoded)
  }
  return { messages, errors }
}

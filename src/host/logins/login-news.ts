import { z } from 'zod'
import type { Database } from '../../kit/sqlite.ts'
import type { agentOps } from '../../wire/agent-ops.ts'
import { MANAGER } from '../../wire/names.ts'
import type { Input } from '../../wire/op.ts'
import type { Broker } from '../broker/broker.ts'
import type { EndedTurn } from '../broker/store.ts'
import type { ManagerNews } from '../manager-news.ts'

export interface LoginNewsOptions {
  readonly db: Database
  readonly broker: Pick<Broker, 'unpark'> & { readonly store: Pick<Broker['store'], 'parked'> }
  readonly news: Pick<ManagerNews, 'tell'>
  readonly wallNow?: () => number
}

type Ready = Input<typeof agentOps.ready>

/** What the manager knows of an agent's login. It is written down first; then the manager is told, with a key made of it. */
const Told = z.object({ event: z.enum(['needs_login', 'logged_in']), at: z.number(), isTold: z.boolean() })
type Told = z.infer<typeof Told>

/**
 * Follows whether agents have a login that the API takes: lets one go on that waited for another, and tells the manager of
 * each change once, whenever the daemon is killed. Of the manager's own nobody is told.
 */
export class LoginNews {
  readonly #options: LoginNewsOptions

  constructor(options: LoginNewsOptions) {
    this.#options = options
  }

  /** Tells again what a daemon that was killed may not have told. */
  async resume(): Promise<void> {
    for (const { name } of this.#options.db.all(
      'SELECT name FROM agents WHERE destroyed = 0 AND told_login IS NOT NULL',
    )) {
      await this.tellOf(String(name))
    }
  }

  /** Whether an agent had no login that the API takes when it was heard of last. */
  isLacking(agent: string): boolean {
    return this.#toldOf(agent)?.event === 'needs_login'
  }

  /** An engine says whether it has a login. One that the API refused is none until it is another, or a turn went well with it. */
  async becameReady(agent: string, { claude, login }: Pick<Ready, 'claude' | 'login'>): Promise<void> {
    const { broker, db } = this.#options
    if (claude === 'needs_login') return await this.#change(agent, 'needs_login')
    if (claude !== 'ok') return
    const refused = db.get('SELECT refused_login FROM agents WHERE name = ?', agent)?.refused_login
    if (login !== undefined && login === refused) return
    if (broker.store.parked(agent)?.reason === 'login') await broker.unpark(agent)
    await this.#change(agent, 'logged_in')
  }

  /**
   * Notes what the end of a turn says of the login that its engine named last; within the write that ends the turn, since
   * a daemon that was killed after that would take the login for a good one. `tellOf` tells it then.
   */
  settle({ agent, reason, parkedFor }: EndedTurn, login: string | undefined): void {
    if (reason === 'ok') {
      this.#setRefused(agent, null)
      this.#note(agent, 'logged_in')
    } else if (reason === 'auth' && parkedFor === 'login') {
      this.#setRefused(agent, login ?? null)
      this.#note(agent, 'needs_login')
    }
  }

  /** Tells what is noted of an agent and nobody was told yet. */
  async tellOf(agent: string): Promise<void> {
    const told = this.#toldOf(agent)
    if (told && !told.isTold) await this.#tell(agent, told)
  }

  #setRefused(agent: string, login: string | null): void {
    this.#options.db.run(
      'UPDATE agents SET refused_login = ? WHERE name = ? AND refused_login IS NOT ?',
      login,
      agent,
      login,
    )
  }

  async #change(agent: string, event: Told['event']): Promise<void> {
    if (this.#isKnown(agent, event)) return
    await this.#options.db.write(() => this.#note(agent, event))
    await this.tellOf(agent)
  }

  #note(agent: string, event: Told['event']): void {
    const { db, wallNow = Date.now } = this.#options
    if (this.#isKnown(agent, event)) return
    const told: Told = { event, at: wallNow(), isTold: false }
    db.run('UPDATE agents SET told_login = ? WHERE name = ?', JSON.stringify(told), agent)
  }

  #isKnown(agent: string, event: Told['event']): boolean {
    return this.isLacking(agent) === (event === 'needs_login')
  }

  async #tell(agent: string, told: Told): Promise<void> {
    const { db, news } = this.#options
    if (agent !== MANAGER) await news.tell({ event: told.event, agent }, `login:${agent}:${told.at}`)
    // Marked, because a message that is done is forgotten one day, and its key with it.
    const done = JSON.stringify({ ...told, isTold: true })
    await db.write(() =>
      db.run('UPDATE agents SET told_login = ? WHERE name = ? AND told_login = ?', done, agent, JSON.stringify(told)),
    )
  }

  #toldOf(agent: string): Told | undefined {
    const text = this.#options.db.get('SELECT told_login FROM agents WHERE name = ?', agent)?.told_login
    if (typeof text !== 'string') return undefined
    try {
      return Told.parse(JSON.parse(text))
    } catch {
      return undefined // Told once more: that mends it.
    }
  }
}

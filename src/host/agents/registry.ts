import { z } from 'zod'
import { createNotifier, type Notifier } from '../../kit/notifier.ts'
import type { Database } from '../../kit/sqlite.ts'
import { HiveError } from '../../wire/errors.ts'
import { MANAGER } from '../../wire/names.ts'
import type { Paused } from '../../wire/supervision.ts'
import { Desired } from '../../wire/things.ts'
import type { Undecodable } from '../../wire/undecodable.ts'

export interface AgentRow {
  readonly name: string
  /** 0 is the manager's. */
  readonly slot: number
  readonly desired: Desired
  /** The operator's choice of model. */
  readonly model: string | null
  readonly createdAt: number
  /** Unix milliseconds: when its container ended unasked last; null when it was started on purpose since. */
  readonly crashedAt: number | null
  /** The life of its container that was ended on purpose last. */
  readonly endedLife: string | null
  /** Since when nothing is delivered to it, and why. */
  readonly paused: Paused | null
}

/** What is left of a destroyed agent. */
export interface Remains {
  readonly name: string
  readonly slot: number
  /** Unix milliseconds; null: destroyed by an older hive. */
  readonly destroyedAt: number | null
}

const COLUMNS = 'name, slot, desired, model, created_at, crashed_at, ended_life, paused_at, paused_reason'
const AgentColumns = z.object({
  name: z.string(),
  slot: z.number().int(),
  desired: Desired,
  model: z.string().nullable(),
  created_at: z.number(),
  crashed_at: z.number().nullable(),
  ended_life: z.string().nullable(),
  paused_at: z.number().nullable(),
  paused_reason: z.string().nullable(),
})

/** The agents of a hive, as they are stored; what they are doing is not here. */
export class AgentRegistry {
  /** When agents come and go. */
  readonly changes: Notifier = createNotifier()
  readonly #db: Database
  readonly #rows = new Map<string, AgentRow>()
  readonly #destroyed = new Set<string>()
  readonly #undecodable: Undecodable[] = []

  constructor(db: Database) {
    this.#db = db
    for (const row of db.all(`SELECT ${COLUMNS}, destroyed FROM agents ORDER BY slot`)) {
      const decoded = AgentColumns.safeParse(row)
      if (row.destroyed === 1) this.#destroyed.add(String(row.name))
      else if (decoded.success) this.#rows.set(decoded.data.name, toAgentRow(decoded.data))
      else this.#undecodable.push({ table: 'agents', id: String(row.name), problem: z.prettifyError(decoded.error) })
    }
  }

  /** Rows that could not be read when the daemon started: their agents are missing. */
  get undecodable(): readonly Undecodable[] {
    return this.#undecodable
  }

  list(): AgentRow[] {
    return [...this.#rows.values()]
  }

  names(): string[] {
    return [...this.#rows.keys()]
  }

  has(name: string): boolean {
    return this.#rows.has(name)
  }

  /** Unix milliseconds; null when it was not, or by an older hive. */
  destroyedAt(name: string): number | null {
    const row = this.#db.get('SELECT destroyed_at AS at FROM agents WHERE name = ? AND destroyed = 1', name)
    return row?.at == null ? null : Number(row.at)
  }

  wasDestroyed(name: string): boolean {
    return this.#destroyed.has(name)
  }

  /** Destroyed agents that were not purged, by name. */
  tombstones(): Remains[] {
    const rows = this.#db.all('SELECT name, slot, destroyed_at FROM agents WHERE destroyed = 1 ORDER BY name')
    return rows.map(({ name, slot, destroyed_at: at }) => ({
      name: String(name),
      slot: Number(slot),
      destroyedAt: at === null ? null : Number(at),
    }))
  }

  find(name: string): AgentRow | undefined {
    return this.#rows.get(name)
  }

  /** Throws `not_found`. */
  get(name: string): AgentRow {
    const row = this.#rows.get(name)
    if (row) return row
    throw new HiveError('not_found', this.#destroyed.has(name) ? `${name} was destroyed` : `no agent ${name}`, {
      hint: `agents: ${this.names().join(', ') || 'none; hive spawn <name> makes one'}`,
    })
  }

  /** Adds an agent, or brings a destroyed one back with the slot it had. Throws `conflict` when it exists. */
  async create(name: string, now: number): Promise<AgentRow> {
    const row = await this.#db.write(() => {
      if (this.#rows.has(name)) throw new HiveError('conflict', `agent ${name} exists`)
      this.#db.run(
        `INSERT INTO agents (name, slot, desired, created_at) VALUES (?, ?, 'running', ?)
         ON CONFLICT DO UPDATE SET desired = 'running', destroyed = 0, destroyed_at = NULL, crashed_at = NULL,
           paused_at = NULL, paused_reason = NULL`,
        name,
        name === MANAGER ? 0 : this.#freeSlot(),
        now,
      )
      return toAgentRow(AgentColumns.parse(this.#db.get(`SELECT ${COLUMNS} FROM agents WHERE name = ?`, name)))
    })
    this.#rows.set(name, row)
    this.#destroyed.delete(name)
    this.changes.notify()
    return row
  }

  #freeSlot(): number {
    return Number(this.#db.get('SELECT coalesce(max(slot), 0) + 1 AS slot FROM agents')?.slot ?? 1)
  }

  /** Goes through on a full disk too: an agent that is not to run has to stay down. */
  async setDesired(name: string, desired: Desired): Promise<void> {
    this.get(name)
    await this.#db.write(() => this.#db.run('UPDATE agents SET desired = ? WHERE name = ?', desired, name), {
      essential: true,
    })
    this.#change(name, { desired })
  }

  /** A life of its container is about to be ended on purpose; `null`: it was not. */
  async noteEnded(name: string, life: string | null): Promise<void> {
    if (!this.#rows.has(name)) return
    await this.#db.write(() => this.#db.run('UPDATE agents SET ended_life = ? WHERE name = ?', life, name), {
      essential: true,
    })
    this.#change(name, { endedLife: life })
  }

  /** `null`: whatever its container does next is another story. */
  async noteCrashed(name: string, at: number | null): Promise<void> {
    if ((this.#rows.get(name)?.crashedAt ?? null) === at) return
    await this.#db.write(() => this.#db.run('UPDATE agents SET crashed_at = ? WHERE name = ?', at, name), {
      essential: true,
    })
    this.#change(name, { crashedAt: at })
  }

  /** Goes through on a full disk too. `null`: not paused any more. */
  async setPaused(name: string, paused: Paused | null): Promise<void> {
    this.get(name)
    await this.#db.write(
      () =>
        this.#db.run(
          'UPDATE agents SET paused_at = ?, paused_reason = ? WHERE name = ?',
          paused?.since ?? null,
          paused?.reason ?? null,
          name,
        ),
      { essential: true },
    )
    this.#change(name, { paused })
  }

  /** `null` returns to the default of the hive. */
  async setModel(name: string, model: string | null): Promise<void> {
    this.get(name)
    await this.#db.write(() => this.#db.run('UPDATE agents SET model = ? WHERE name = ?', model, name))
    this.#change(name, { model })
  }

  #change(name: string, change: Partial<AgentRow>): void {
    const row = this.#rows.get(name)
    if (row) this.#rows.set(name, { ...row, ...change })
  }

  /** Keeps its slot, so that what is left of the agent keeps its owner. */
  async destroy(name: string, now = Date.now()): Promise<void> {
    this.get(name)
    await this.#db.write(
      () => this.#db.run('UPDATE agents SET destroyed = 1, destroyed_at = ? WHERE name = ?', now, name),
      { essential: true },
    )
    this.#rows.delete(name)
    this.#destroyed.add(name)
    this.changes.notify()
  }

  /** Forgets a destroyed agent: its slot is free, so nothing of it may be left. */
  async purge(name: string): Promise<void> {
    await this.#db.write(() => this.#db.run('DELETE FROM agents WHERE name = ? AND destroyed = 1', name), {
      essential: true,
    })
    this.#destroyed.delete(name)
  }
}

const toAgentRow = ({
  created_at,
  crashed_at,
  ended_life,
  paused_at,
  paused_reason,
  ...same
}: z.infer<typeof AgentColumns>): AgentRow => ({
  ...same,
  createdAt: created_at,
  crashedAt: crashed_at,
  endedLife: ended_life,
  paused: paused_at === null ? null : { since: paused_at, reason: paused_reason ?? '' },
})

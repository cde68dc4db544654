import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Database } from '../../kit/sqlite.ts'
import { containerName } from '../../wire/names.ts'
import type { App } from '../app-dir.ts'
import type { ContainerStatus } from '../containers/runtime.ts'

export interface ProgramsOptions {
  readonly db: Database
  /** Directory of the revisions that are kept. */
  readonly apps: string
  /** The programs of this hive. */
  readonly current: App
  /** Unix milliseconds. */
  readonly wallNow?: () => number
}

/** An agent that could not be put on the current programs. */
export interface FailedUpdate {
  readonly agent: string
  readonly revision: string
  /** Unix milliseconds. */
  readonly since: number
  readonly detail: string
}

const Stored = z.object({
  agent: z.string(),
  revision: z.string(),
  failed: z.string().nullable(),
  failed_at: z.number().nullable(),
  detail: z.string().nullable(),
  told: z.string().nullable(),
})
type Stored = z.infer<typeof Stored>

/**
 * The programs that each agent is started with: those that it was last well with. Only `settle` moves an agent to the current
 * ones; while they are tried it is started with them, but not for good.
 */
export class Programs {
  readonly current: App
  readonly #options: ProgramsOptions
  readonly #rows = new Map<string, Stored>()
  readonly #trials = new Set<string>()

  constructor(options: ProgramsOptions) {
    this.#options = options
    this.current = options.current
    for (const row of options.db.all('SELECT * FROM programs')) {
      const stored = Stored.parse(row)
      if (this.#isKept(stored.revision)) this.#rows.set(stored.agent, stored)
    }
  }

  /** The directory may have been lost, as when a hive was moved: then there is nothing but the current one. */
  #isKept(revision: string): boolean {
    return existsSync(join(this.#options.apps, revision))
  }

  /** What an agent is to be started with. */
  of(agent: string): App {
    const { revision } = this.#rows.get(agent) ?? this.current
    if (revision === this.current.revision || this.#trials.has(agent)) return this.current
    return { revision, directory: join(this.#options.apps, revision) }
  }

  /** Whether an agent is on older programs. */
  isStale(agent: string): boolean {
    const revision = this.#rows.get(agent)?.revision
    return revision !== undefined && revision !== this.current.revision
  }

  /** Revisions that agents are on. */
  inUse(): string[] {
    return [this.current.revision, ...[...this.#rows.values()].map(({ revision }) => revision)]
  }

  /** Has agents of which nothing is known be on what their containers run, as those of an older hive; or on the current ones. */
  async adopt(agents: readonly string[], containers: readonly ContainerStatus[]): Promise<void> {
    const apps = new Map(containers.map(({ name, app }) => [name, app]))
    const unknown = agents.filter((agent) => !this.#rows.has(agent))
    await Promise.all(
      unknown.map((agent) => {
        const app = apps.get(containerName(agent))
        const revision = app !== undefined && this.#isKept(app) ? app : this.current.revision
        return this.#store({ ...NOTHING, agent, revision })
      }),
    )
  }

  /** From now on the agent is started with the current programs, until `settle` or `endTrial`. */
  try(agent: string): void {
    this.#trials.add(agent)
  }

  /** Back to what it was on. */
  endTrial(agent: string): void {
    this.#trials.delete(agent)
  }

  /** The agent is new, or well with the current programs: they are its own from now on. */
  async settle(agent: string): Promise<void> {
    const { revision } = this.current
    await this.#store({ ...NOTHING, agent, revision })
    this.endTrial(agent)
  }

  /** The agent, which is on older programs, is not well with the current ones. Goes through on a full disk too. */
  async fail(agent: string, detail: string): Promise<void> {
    const { wallNow = Date.now } = this.#options
    const row = this.#rows.get(agent)
    if (row) await this.#store({ ...row, failed: this.current.revision, failed_at: wallNow(), detail })
  }

  /** Those of `agents` that could not be put on the current programs, and are on older ones. */
  failed(agents: readonly string[]): FailedUpdate[] {
    return agents.flatMap((agent) => this.failure(agent) ?? [])
  }

  /** Why an agent is not on the current programs, when they were tried. */
  failure(agent: string): FailedUpdate | undefined {
    const row = this.#rows.get(agent)
    if (!row || row.failed !== this.current.revision || !this.isStale(agent)) return undefined
    return { agent, revision: row.failed, since: row.failed_at ?? 0, detail: row.detail ?? '' }
  }

  /** Whether the manager knows that the agent is not on the current programs. */
  isTold(agent: string): boolean {
    return this.#rows.get(agent)?.told === this.current.revision
  }

  async noteTold(agent: string): Promise<void> {
    const row = this.#rows.get(agent)
    if (row) await this.#store({ ...row, told: this.current.revision })
  }

  async #store(row: Stored): Promise<void> {
    const { db } = this.#options
    await db.write(
      () =>
        db.run(
          'INSERT OR REPLACE INTO programs (agent, revision, failed, failed_at, detail, told) VALUES (?, ?, ?, ?, ?, ?)',
          row.agent,
          row.revision,
          row.failed,
          row.failed_at,
          row.detail,
          row.told,
        ),
      { essential: true },
    )
    this.#rows.set(row.agent, row)
  }
}

const NOTHING = { failed: null, failed_at: null, detail: null, told: null }

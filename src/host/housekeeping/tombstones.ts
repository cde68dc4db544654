import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { HiveError } from '../../wire/errors.ts'
import type { Tombstone } from '../../wire/housekeeping.ts'
import type { Lifecycle } from '../actions/lifecycle.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import { agentUid, type Layout } from '../layout.ts'
import { measureUsage } from './disk-usage.ts'

export interface TombstonesOptions {
  readonly registry: Pick<AgentRegistry, 'tombstones' | 'wasDestroyed' | 'has'>
  readonly lifecycle: Pick<Lifecycle, 'spawn' | 'purge'>
  readonly layout: Layout
  readonly daemonUid: number
}

/** All of them together are measured in so much time; those that were not reached have no size. */
const MEASURE_MS = 20_000

/** What is left of destroyed agents: to be brought back, or removed for good. */
export class Tombstones {
  readonly #options: TombstonesOptions

  constructor(options: TombstonesOptions) {
    this.#options = options
  }

  async list(): Promise<Tombstone[]> {
    const { registry, layout } = this.#options
    const until = performance.now() + MEASURE_MS
    const tombstones: Tombstone[] = []
    for (const { name, slot, destroyedAt } of registry.tombstones()) {
      // Only the last part of the path is in a directory that was the agent's.
      const login = lstatSync(join(layout.agent(name).credentials, '.credentials.json'), { throwIfNoEntry: false })
      const bytes = await this.#measure(name, slot, until - performance.now())
      tombstones.push({ name, destroyedAt, bytes, hasLogin: login?.isFile() ?? false })
    }
    return tombstones
  }

  async #measure(name: string, slot: number, timeoutMs: number): Promise<number | null> {
    if (timeoutMs <= 0) return null
    const { layout, daemonUid } = this.#options
    const { state, credentials } = layout.agent(name)
    const repository = join(layout.applied, name)
    const uid = agentUid(slot, daemonUid)
    const sizes = [
      await measureUsage({ paths: [state, credentials], uid, timeoutMs }),
      await measureUsage({ paths: [repository], timeoutMs }),
    ]
    return sizes.includes(undefined) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  }

  /** Brings an agent back. Throws `not_found` when nothing of it is left, `conflict` when it lives. */
  async revive(name: string): Promise<void> {
    this.#assertLeft(name)
    await this.#options.lifecycle.spawn(name)
  }

  /** Removes for good what is left. Throws `bad_input` unless `confirm` is the name, else as `revive` does. */
  async purge(name: string, confirm: string): Promise<void> {
    if (confirm !== name) throw new HiveError('bad_input', `${name} is purged only when its name is repeated`)
    this.#assertLeft(name)
    await this.#options.lifecycle.purge(name)
  }

  #assertLeft(name: string): void {
    const { registry } = this.#options
    if (registry.has(name)) throw new HiveError('conflict', `${name} lives`, { hint: `hive destroy ${name}` })
    if (registry.wasDestroyed(name)) return
    throw new HiveError('not_found', `there is nothing left of ${name}`, {
      hint: 'hive tombstones shows what there is',
    })
  }
}

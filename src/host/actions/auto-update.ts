import type { Log } from '../../kit/log.ts'
import { errorText } from '../../wire/errors.ts'
import { MANAGER } from '../../wire/names.ts'
import type { Programs } from '../agents/programs.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { ManagerNews } from '../manager-news.ts'
import type { Rebuild } from './rebuild.ts'

export interface AutoUpdateOptions {
  readonly registry: Pick<AgentRegistry, 'names' | 'find'>
  readonly programs: Pick<Programs, 'isStale' | 'failure' | 'isTold' | 'noteTold' | 'current'>
  readonly rebuild: Pick<Rebuild, 'update' | 'halt'>
  readonly news: Pick<ManagerNews, 'tell'>
  /** Otherwise the manager is only told of agents on older programs. */
  readonly isOn: boolean
  readonly log: Log
}

/**
 * After a start of the daemon, puts the agents that run with older programs on the current ones: the manager first, one at a
 * time. One that was not well with them is not tried with the same again; the manager is told, once.
 */
export class AutoUpdate implements AsyncDisposable {
  readonly #options: AutoUpdateOptions
  #working: Promise<void> = Promise.resolve()
  #isHalted = false

  constructor(options: AutoUpdateOptions) {
    this.#options = options
  }

  /** Goes through the agents in the background. */
  begin(): void {
    this.#working = this.#goThrough()
  }

  /** Resolves when all have been dealt with. */
  get done(): Promise<void> {
    return this.#working
  }

  /** Begins with no other agent. */
  halt(): void {
    this.#isHalted = true
    this.#options.rebuild.halt()
  }

  async #goThrough(): Promise<void> {
    const { registry, programs, log } = this.#options
    const names = [MANAGER, ...registry.names().filter((name) => name !== MANAGER)]
    for (const agent of names) {
      // Meanwhile somebody may have rebuilt it.
      if (this.#isHalted || !programs.isStale(agent)) continue
      try {
        await this.#dealWith(agent)
      } catch (error) {
        if (this.#isHalted) return // What it needs is being taken down.
        log.error({ agent, error: errorText(error) }, 'an agent on older programs could not be dealt with')
      }
    }
  }

  async #dealWith(agent: string): Promise<void> {
    const { registry, programs, rebuild, isOn } = this.#options
    // One that is to be stopped goes on with the older ones when it is started.
    if (registry.find(agent)?.desired !== 'running') return
    if (isOn && !programs.failure(agent)) {
      try {
        return await rebuild.update(agent)
      } catch (error) {
        // Of the one that was tried, the manager is told.
        if (!programs.failure(agent)) throw error
      }
    }
    await this.#tell(agent)
  }

  async #tell(agent: string): Promise<void> {
    const { programs, news } = this.#options
    if (programs.isTold(agent)) return
    const failure = programs.failure(agent)
    const note = failure && `it is not well with the current programs and runs with the older ones: ${failure.detail}`
    await news.tell(
      { event: 'needs_update', agent, ...(note && { note }) },
      `needs-update-${agent}-${programs.current.revision}`,
    )
    await programs.noteTold(agent)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.halt()
    await this.#working
  }
}

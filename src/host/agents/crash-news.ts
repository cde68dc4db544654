import { errorText } from '../../wire/errors.ts'
import { containerName, MANAGER } from '../../wire/names.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import type { Intervals } from '../intervals.ts'
import type { ManagerNews } from '../manager-news.ts'
import type { AgentRegistry } from './registry.ts'
import type { Crash } from './supervisor.ts'

export interface CrashNewsOptions {
  readonly registry: Pick<AgentRegistry, 'find' | 'noteCrashed'>
  readonly runtime: Pick<ContainerRuntime, 'logs'>
  readonly news: Pick<ManagerNews, 'tell'>
  readonly intervals: Pick<Intervals, 'crashWindowMs'>
  /** Unix milliseconds. */
  readonly now?: () => number
}

const LAST_LINES = 8
const MAX_LINE_CHARS = 200

/**
 * Tells the manager that a container crashed: once for an episode, which lasts until it has run for `crashWindowMs` or somebody
 * starts the agent. That a crash loop was given up is among what waits for the operator.
 */
export class CrashNews {
  readonly #options: CrashNewsOptions
  readonly #now: () => number

  constructor(options: CrashNewsOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** An agent was started, stopped or rebuilt by somebody: what its container does next is another story. */
  async beginAfresh(agent: string): Promise<void> {
    if (this.#options.registry.find(agent)) await this.#options.registry.noteCrashed(agent, null)
  }

  async tell({ agent, incarnation, how, isFinal }: Crash): Promise<void> {
    const { registry, news, intervals } = this.#options
    const before = registry.find(agent)?.crashedAt ?? null
    const isNews = before === null || Math.abs(this.#now() - before) >= intervals.crashWindowMs
    // The manager itself has what it worked on again; nobody could help it.
    if (isNews && agent !== MANAGER) {
      const end = isFinal ? 'it is not started again' : 'it is started again'
      const note = [`${how}; ${end}`, ...(await this.#lastLines(agent))].join('\n')
      // Should the daemon die before the next write, the one after it tells this once more, under the same key.
      await news.tell({ event: 'container_crash', agent, note }, `crash-${agent}-${incarnation}`)
    }
    await registry.noteCrashed(agent, this.#now())
  }

  async #lastLines(agent: string): Promise<string[]> {
    const lines: string[] = []
    try {
      for await (const { text } of this.#options.runtime.logs(containerName(agent), { tail: LAST_LINES })) {
        lines.push(text.slice(0, MAX_LINE_CHARS))
      }
    } catch (error) {
      return [`its log cannot be read: ${errorText(error)}`]
    }
    return lines.slice(-LAST_LINES)
  }
}

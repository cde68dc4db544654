import type { Log } from '../../kit/log.ts'
import { errorText } from '../../wire/errors.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Broker } from '../broker/broker.ts'

export interface KickOptions {
  readonly registry: Pick<AgentRegistry, 'find'>
  readonly broker: Pick<Broker, 'tell' | 'store'>
  readonly log: Log
}

const NOTE =
  'If you were in the middle of something, look at your notes in /state and go on; otherwise end your turn. Your session is the same as before.'

/** Tells an agent itself that it was started, and why, so that it goes on with what it was at. Every start that is told of goes through here. */
export class Kick {
  readonly #options: KickOptions

  constructor(options: KickOptions) {
    this.#options = options
  }

  /**
   * Once for each life of its harness, or for each `key`. Not one that is to be stopped: it is told when it is started. An agent
   * with no room for it has mail that wakes it; that is logged, since what was done is done.
   */
  async tell(agent: string, reason: string, key?: string): Promise<void> {
    const { registry, broker, log } = this.#options
    const row = registry.find(agent)
    if (row?.desired !== 'running') return
    const once = key ?? `${row.createdAt}-${broker.store.epoch(agent)}`
    try {
      await broker.tell(agent, { event: 'started', reason, note: NOTE }, `started-${once}`)
    } catch (error) {
      log.warn({ agent, reason, error: errorText(error) }, 'an agent could not be told that it was started')
    }
  }
}

import type { Log } from '../kit/log.ts'
import { errorText } from '../wire/errors.ts'
import type { HelperEvent } from '../wire/events.ts'
import { MANAGER } from '../wire/names.ts'
import type { AgentRegistry } from './agents/registry.ts'
import type { Broker } from './broker/broker.ts'

export interface ManagerNewsOptions {
  readonly registry: Pick<AgentRegistry, 'find'>
  readonly broker: Pick<Broker, 'tell'>
  readonly log: Log
}

/** What the manager is told of what was done. */
export class ManagerNews {
  readonly #options: ManagerNewsOptions

  constructor(options: ManagerNewsOptions) {
    this.#options = options
  }

  /**
   * What was done is done, also when the manager has no room for the news: that is logged. News with the same `key` are told
   * once, however often whoever tells them is interrupted.
   */
  async tell(event: HelperEvent, key?: string): Promise<void> {
    const { registry, broker, log } = this.#options
    if (!registry.find(MANAGER)) return
    try {
      await broker.tell(MANAGER, event, key)
    } catch (error) {
      log.warn({ event, error: errorText(error) }, 'the manager could not be told')
    }
  }
}

import type { MessageState } from '../../wire/things.ts'
import type { TurnReason } from '../../wire/turn.ts'

export interface ModelMessage {
  readonly id: number
  readonly from: string
  readonly to: string
  state: MessageState
  attempt: number
  failures: number
  woke: boolean
}

/** What a store has to do, in as few lines as it can be said: the other side of the conformance suite. */
export class StoreModel {
  messages: ModelMessage[] = []
  /** News that agents hold or have yet to read; they are not compared, but take part in turns. */
  readonly #system: ModelMessage[] = []

  of(agent: string, state: MessageState): ModelMessage[] {
    return this.messages.filter((message) => message.to === agent && message.state === state)
  }

  send(id: number, from: string, to: string): void {
    this.messages.push({ id, from, to, state: 'queued', attempt: 0, failures: 0, woke: false })
  }

  adoptSystemMessage(id: number, to: string): void {
    if (!this.#system.some((message) => message.id === id)) {
      this.#system.push({ id, from: 'system', to, state: 'queued', attempt: 0, failures: 0, woke: false })
    }
  }

  #held(agent: string): ModelMessage[] {
    return [...this.messages, ...this.#system].filter(({ to, state }) => to === agent && state === 'leased')
  }

  holds(agent: string): boolean {
    return this.#held(agent).length > 0
  }

  heldIds(agent: string): number[] {
    return this.#held(agent).map(({ id }) => id)
  }

  /** The operator's first, then in order of arrival; what failed before comes alone. `news`: the store chose this one of the system's. */
  lease(agent: string, news?: number): ModelMessage | undefined {
    const queued = [...this.messages, ...this.#system]
      .filter(({ to, state }) => to === agent && state === 'queued')
      .sort((a, b) => Number(b.from === 'operator') - Number(a.from === 'operator') || a.id - b.id)
    const head = news === undefined ? queued[0] : queued.find(({ id }) => id === news)
    const held = this.#held(agent)
    if (!head || (held.length > 0 && (head.failures > 0 || held.some(({ failures }) => failures > 0)))) return undefined
    head.state = 'leased'
    head.attempt += 1
    head.woke = held.length === 0
    return head
  }

  endTurn(agent: string, reason: TurnReason, accepted: boolean): 'done' | 'retry' | 'dead' {
    const held = this.#held(agent)
    const woke = held.find((message) => message.woke) as ModelMessage
    if (accepted) {
      for (const message of held) message.state = 'done'
      return 'done'
    }
    for (const message of held) message.state = 'queued'
    const fails = reason === 'crash' || reason === 'error' || reason === 'refused'
    if (fails) woke.failures += 1
    if (reason === 'refused' || woke.failures >= 3) woke.state = 'dead'
    return woke.state === 'dead' ? 'dead' : 'retry'
  }

  takeBack(agent: string, charge: boolean): void {
    for (const message of this.#held(agent)) {
      if (charge && message.woke) message.failures += 1
      message.state = message.failures >= 3 ? 'dead' : 'queued'
    }
  }

  requeue(id: number): void {
    const message = this.messages.find((one) => one.id === id) as ModelMessage
    message.state = 'queued'
    message.failures = 0
  }
}

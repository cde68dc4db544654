import { type Account, addSpent, type Budget, NOTHING_SPENT, type Spent, tokensOf } from '../../wire/money.ts'
import type { TurnUsage } from '../../wire/turn.ts'
import type { EndedTurn, Parking } from '../broker/store.ts'
import { findReached, shareUsed } from './budget.ts'
import { nextMidnight } from './day.ts'
import type { DayNote, DayNotes } from './day-notes.ts'
import { findDoubt } from './doubt.ts'
import { figuresOf } from './figures.ts'
import type { Ledger } from './ledger.ts'

export interface AccountsOptions {
  readonly ledger: Ledger
  readonly notes: DayNotes
  /** The agents that exist now. */
  readonly agents: () => readonly string[]
  /** What the configuration of an agent lets it spend in a day. */
  readonly budgetOf: (agent: string) => Budget
  /** What all of them together may spend in a day. */
  readonly hiveBudget: Budget
  /** Unix ms. */
  readonly now?: () => number
}

/** What each agent, and the hive, has spent today and may spend: the turns that ended, and those in progress as far as they are told of. */
export class Accounts {
  readonly #options: AccountsOptions
  readonly #now: () => number
  /** The figures of turns in progress, by agent. */
  readonly #inProgress = new Map<string, TurnUsage>()
  /** The turn of each agent that was booked last, and what it had told before. */
  readonly #settled = new Map<string, { readonly name: string; readonly told: TurnUsage | undefined }>()

  constructor(options: AccountsOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Books a turn, within the write that ends it. One that ended without a word is booked as it was told of last. */
  settle(turn: EndedTurn): void {
    const { agent, epoch, message, attempt } = turn
    const name = `${epoch}:${message}:${attempt}`
    const last = this.#settled.get(agent)
    // The write may run twice, and has to book the same.
    const told = last?.name === name ? last.told : this.#inProgress.get(agent)
    this.#inProgress.delete(agent)
    this.#settled.set(agent, { name, told })
    const usage = turn.usage ?? told
    this.#options.ledger.record({ ...turn, usage })
  }

  /** Takes note of what the turn in progress has used so far. */
  noteTurn(agent: string, usage: TurnUsage): void {
    this.#inProgress.set(agent, usage)
  }

  /** Why an agent may not go on today, and until when; undefined: it may. */
  overspent(agent: string): Parking | undefined {
    const { notes, hiveBudget } = this.#options
    const budget = this.#options.budgetOf(agent)
    if (!hasLimit(budget) && !hasLimit(hiveBudget)) return undefined
    const own = hasLimit(budget) ? findReached(budget, this.#spentBy(agent)) : undefined
    const shared = hasLimit(hiveBudget) ? findReached(hiveBudget, this.#spentByAll()) : undefined
    const detail = own
      ? `${own} are used today`
      : shared && `the hive has used ${shared} today, most of it by ${this.#most()}`
    if (detail === undefined || notes.today(agent).isOverridden) return undefined
    return { reason: 'budget', detail, until: nextMidnight(this.#now()) }
  }

  of(agent: string): Account {
    const budget = this.#options.budgetOf(agent)
    return toAccount(this.#spentBy(agent), budget, this.#options.notes.today(agent))
  }

  /** The account of the hive: the sums of all agents. It is overridden for agents, never as a whole. */
  ofHive(): Account {
    const { agents, notes, hiveBudget } = this.#options
    const all = agents().map((agent) => notes.today(agent))
    const requests = all.reduce((sum, note) => sum + note.requests, 0)
    return toAccount(this.#spentByAll(), hiveBudget, { requests, unexplained: 0, isOverridden: false })
  }

  /** By agent: those that exist. */
  all(): Record<string, Account> {
    return Object.fromEntries(this.#options.agents().map((agent) => [agent, this.of(agent)]))
  }

  /** Who says to have spent most of what the hive has: what an agent claims counts for all. */
  #most(): string {
    const [most] = this.#options
      .agents()
      .map((agent) => ({ agent, spent: this.#spentBy(agent) }))
      .sort((one, other) => other.spent.dollars - one.spent.dollars || tokensOf(other.spent) - tokensOf(one.spent))
    return most?.agent ?? 'agents that are gone'
  }

  #spentBy(agent: string): Spent {
    return addSpent(this.#options.ledger.spentBy(agent), soFar(this.#inProgress.get(agent)))
  }

  #spentByAll(): Spent {
    return [...this.#inProgress.values()].map(soFar).reduce(addSpent, this.#options.ledger.spentByAll())
  }
}

const hasLimit = (budget: Budget): boolean => Object.keys(budget).length > 0

/** A turn counts as one when it has ended. */
function soFar(usage: TurnUsage | undefined): Spent {
  if (!usage) return NOTHING_SPENT
  const { model: _, ...spent } = figuresOf(usage)
  return { ...spent, turns: 0 }
}

const toAccount = (spent: Spent, budget: Budget, note: DayNote): Account => ({
  spent,
  budget,
  used: shareUsed(budget, spent),
  isOverridden: note.isOverridden,
  requests: note.requests,
  doubt: findDoubt(spent, note),
})

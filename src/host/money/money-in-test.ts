import type { Budget } from '../../wire/money.ts'
import type { TurnReason, TurnUsage } from '../../wire/turn.ts'
import { AuditLog } from '../audit-log.ts'
import { Broker } from '../broker/broker.ts'
import { SqliteStore } from '../broker/sqlite-store.ts'
import { openHiveDatabase } from '../database.ts'
import { Accounts } from './accounts.ts'
import { DayNotes } from './day-notes.ts'
import { Ledger } from './ledger.ts'

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 }
export const WAITS = new AbortController().signal
export const AGENTS = ['alice', 'bob']

/** Figures of a turn that used so many tokens of each kind. */
export const usageOf = (tokens: number, more: Partial<TurnUsage> = {}): TurnUsage => ({
  model: 'haiku',
  inputTokens: tokens,
  outputTokens: tokens,
  cacheReadTokens: tokens,
  cacheWriteTokens: tokens,
  costUsd: tokens / 1000,
  durationMs: 10,
  contextTokens: 0,
  contextWindow: 0,
  ...more,
})

/** A broker whose turns are booked, with budgets and a wall clock that the test sets. */
export function openMoney(budgets: Record<string, Budget> = {}, hiveBudget: Budget = {}, path = ':memory:') {
  const clock = { now: new Date(2026, 10, 26, 12).getTime() }
  const wallNow = () => clock.now
  const db = openHiveDatabase(path)
  const ledger = new Ledger(db, wallNow)
  const notes = new DayNotes(db, new AuditLog(db, wallNow), wallNow)
  const budgetOf = (agent: string) => budgets[agent] ?? {}
  const accounts = new Accounts({ ledger, notes, agents: () => AGENTS, budgetOf, hiveBudget, now: wallNow })
  const store = new SqliteStore({
    db,
    inboxCap: 1000,
    maxHops: 16,
    now: wallNow,
    onTurnEnd: (turn) => accounts.settle(turn),
  })
  const broker = new Broker({
    store,
    slots: 4,
    sendRate: NO_LIMIT,
    chainRate: NO_LIMIT,
    recipients: { names: () => AGENTS, has: () => true, wasDestroyed: () => false },
    overspent: (agent) => accounts.overspent(agent),
    now: () => performance.now(),
    wallNow,
  })
  const epochs = new Map<string, number>()
  return {
    clock,
    db,
    ledger,
    notes,
    accounts,
    store,
    broker,
    budgets,
    /** Begins a turn of a fresh message; undefined when nothing was delivered. */
    async begin(
      agent: string,
    ): Promise<{ id: number; end(usage?: TurnUsage, reason?: TurnReason): Promise<void> } | undefined> {
      const epoch = epochs.get(agent) ?? (await broker.beginEpoch(agent, { charge: false, reason: '' }))
      epochs.set(agent, epoch)
      await broker.send('operator', { to: agent, body: 'work' })
      const [message] = await broker.recv(agent, { epoch, waitMs: 0, signal: WAITS })
      if (!message) return undefined
      return {
        id: message.id,
        async end(usage, reason = 'ok') {
          await broker.endTurn(agent, epoch, [message.id], { reason, detail: '', usage }, reason === 'ok')
        },
      }
    },
    [Symbol.dispose]() {
      broker[Symbol.dispose]()
      db.close()
    },
  }
}

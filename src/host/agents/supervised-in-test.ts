import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createLog } from '../../kit/log.ts'
import { DEFAULT_AGENT_CONFIG } from '../../wire/agent-config.ts'
import { AuditLog } from '../audit-log.ts'
import { Broker } from '../broker/broker.ts'
import { SqliteStore } from '../broker/sqlite-store.ts'
import { openFakeRuntime } from '../containers/fake/runtime.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { openHiveDatabase } from '../database.ts'
import { createLayout, makeAgentDirectories, makeHiveDirectories } from '../layout.ts'
import { Accounts } from '../money/accounts.ts'
import { DayNotes } from '../money/day-notes.ts'
import { Ledger } from '../money/ledger.ts'
import { Programs } from './programs.ts'
import { AgentRegistry } from './registry.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'

export const ORDINARY_USER = 1000
export const INBOX_CAP = 10
/** The commit that every agent runs with. */
export const DEPLOYED = 'c'.repeat(40)
const RATE = { perSecond: 1e9, burst: 1e9 }
export const WAITS = new AbortController().signal

type Options = Partial<Pick<SupervisorOptions, 'silentMs' | 'lookMs' | 'now' | 'deployments'>>

/** A supervisor of alice on the fake runtime; `bend` changes what that does. Its harness is a program that does nothing. */
export async function openSupervised(
  bend: (runtime: ContainerRuntime) => Partial<ContainerRuntime> = () => ({}),
  options: Options = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'supervisor-'))
  const stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(directory, { recursive: true }))
  const layout = createLayout({ stateDir: join(directory, 'state'), runDir: join(directory, 'run') })
  makeHiveDirectories(layout, ORDINARY_USER)
  symlinkSync(process.execPath, join(directory, 'node'))
  writeFileSync(join(directory, 'harness.mjs'), 'setInterval(() => {}, 1e9)')
  const db = stack.use(openHiveDatabase(':memory:'))
  const registry = new AgentRegistry(db)
  await registry.create('alice', 0)
  const ledger = new Ledger(db)
  const notes = new DayNotes(db, new AuditLog(db))
  const accounts = new Accounts({ ledger, notes, agents: () => registry.names(), budgetOf: () => ({}), hiveBudget: {} })
  makeAgentDirectories(layout, 'alice', 1, ORDINARY_USER)
  const broker = stack.use(
    new Broker({
      store: new SqliteStore({ db, inboxCap: INBOX_CAP, maxHops: 16, onTurnEnd: (turn) => accounts.settle(turn) }),
      slots: 4,
      sendRate: RATE,
      chainRate: RATE,
      recipients: registry,
      now: Date.now,
    }),
  )
  const deployed = { sha: DEPLOYED, reference: 'a', config: DEFAULT_AGENT_CONFIG, directory }
  const deployments = {
    get: () => deployed,
    find: () => deployed,
    deployed: () => ({ ...deployed, approval: null }),
    isOnTrial: () => false,
  }
  const programs = new Programs({ db, apps: layout.apps, current: { directory, revision: 'r1' } })
  const fake = stack.use(openFakeRuntime())
  const runtime = { ...fake, ...bend(fake) }
  const supervisor = stack.use(
    new Supervisor({
      registry,
      broker,
      runtime,
      deployments,
      programs,
      layout,
      network: 'none',
      limits: {},
      dashboardPort: 7000,
      daemonUid: ORDINARY_USER,
      silentMs: 600_000,
      log: createLog('silent'),
      now: Date.now,
      ...options,
    }),
  )
  const life = async () => {
    const [status] = await fake.list()
    return status?.state === 'running' ? status.incarnation : undefined
  }
  return {
    db,
    layout,
    registry,
    ledger,
    accounts,
    broker,
    fake,
    runtime,
    supervisor,
    deployments,
    programs,
    life,
    /** The next life that is not `former`. */
    async nextLife(former?: string): Promise<string> {
      for (;;) {
        const found = await life()
        if (found !== undefined && found !== former) return found
        await nextTurn()
      }
    },
    /** Gives alice a message that she holds. */
    async lease(): Promise<number> {
      const epoch = await broker.beginEpoch('alice', { charge: false, reason: '' })
      await broker.send('operator', { to: 'alice', body: 'do it' })
      const [message] = await broker.recv('alice', { epoch, waitMs: 0, signal: WAITS })
      return message?.id as number
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

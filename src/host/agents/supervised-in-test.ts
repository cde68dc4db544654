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
import { createIntervals, type Intervals } from '../intervals.ts'
import { createLayout, makeAgentDirectories, makeHiveDirectories } from '../layout.ts'
import { LoginFiles } from '../logins/login-files.ts'
import { LoginFlows } from '../logins/login-flows.ts'
import { LoginNews } from '../logins/login-news.ts'
import { ManagerNews } from '../manager-news.ts'
import { Accounts } from '../money/accounts.ts'
import { DayNotes } from '../money/day-notes.ts'
import { Ledger } from '../money/ledger.ts'
import { Permissions } from '../permissions/permissions.ts'
import { Questions } from '../questions/questions.ts'
import { CrashNews } from './crash-news.ts'
import { Holds } from './holds.ts'
import { Programs } from './programs.ts'
import { AgentRegistry } from './registry.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'

export const ORDINARY_USER = 1000
export const INBOX_CAP = 10
/** The commit that every agent runs with. */
export const DEPLOYED = 'c'.repeat(40)
const RATE = { perSecond: 1e9, burst: 1e9 }
export const WAITS = new AbortController().signal

type Options = Partial<Pick<SupervisorOptions, 'silentMs' | 'now' | 'deployments'>> & Partial<Intervals>

/** A supervisor of alice on the fake runtime; `bend` changes what that does. Its harness is a program that does nothing. */
export async function openSupervised(
  bend: (runtime: ContainerRuntime) => Partial<ContainerRuntime> = () => ({}),
  { silentMs = 600_000, now = Date.now, deployments: others, ...waits }: Options = {},
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
  const audit = new AuditLog(db)
  const notes = new DayNotes(db, audit)
  const accounts = new Accounts({ ledger, notes, agents: () => registry.names(), budgetOf: () => ({}), hiveBudget: {} })
  makeAgentDirectories(layout, 'alice', 1, ORDINARY_USER)
  const broker = stack.use(
    new Broker({
      store: new SqliteStore({
        db,
        inboxCap: INBOX_CAP,
        maxHops: 16,
        onTurnEnd: (turn) => {
          accounts.settle(turn)
          loginNews.settle(turn, supervisor.link(turn.agent).live?.ready?.login)
        },
      }),
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
  const intervals = { ...createIntervals(), ...waits }
  const holds = new Holds({ db, registry })
  const news = new ManagerNews({ registry, broker, log: createLog('silent') })
  const programs = new Programs({ db, apps: layout.apps, current: { directory, revision: 'r1' } })
  const fake = stack.use(openFakeRuntime())
  const runtime = { ...fake, ...bend(fake) }
  const loginFiles = new LoginFiles(layout)
  const loginNews = new LoginNews({ db, broker, news })
  const permissions = new Permissions({ db, audit, bashOf: () => undefined, waitMs: 60_000, onChange: () => {} })
  const crashes = new CrashNews({ registry, runtime, news, intervals })
  const supervisor: Supervisor = stack.use(
    new Supervisor({
      registry,
      broker,
      runtime,
      deployments: others ?? deployments,
      loginFiles,
      loginNews,
      programs,
      layout,
      network: 'none',
      limits: {},
      dashboardPort: 7000,
      daemonUid: ORDINARY_USER,
      silentMs,
      intervals,
      holds,
      onCrash: (crash) => crashes.tell(crash),
      log: createLog('silent'),
      now,
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
    holds,
    crashes,
    news,
    operation: () => null,
    audit,
    questions: new Questions({
      db,
      registry,
      broker,
      audit,
      mayAsk: () => false,
      onChange: () => {},
      passes: () => {},
    }),
    permissions,
    loginFiles,
    loginNews,
    logins: new LoginFlows({ command: (agent, command) => supervisor.link(agent).command(command) }),
    isAsking: (agent: string) => permissions.isAsking(agent),
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

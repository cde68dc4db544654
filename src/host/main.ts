import { totalmem } from 'node:os'
import { createSteadyClock } from '../kit/clock.ts'
import { createFailPoints } from '../kit/fail-points.ts'
import { createLog } from '../kit/log.ts'
import { connectOps } from '../kit/op-client.ts'
import { assertSocketPath, serveOps } from '../kit/op-server.ts'
import { readPackageVersion } from '../kit/package-version.ts'
import type { Settings } from '../kit/settings.ts'
import { agentOps, managerOps } from '../wire/agent-ops.ts'
import { errorText, HiveError } from '../wire/errors.ts'
import { hostOps } from '../wire/host-ops.ts'
import { MANAGER } from '../wire/names.ts'
import { AutoUpdate } from './actions/auto-update.ts'
import { Kick } from './actions/kick.ts'
import { Lifecycle } from './actions/lifecycle.ts'
import { Rebuild } from './actions/rebuild.ts'
import { Trial } from './actions/trial.ts'
import { AgentViews } from './agents/agent-views.ts'
import { CrashNews } from './agents/crash-news.ts'
import { Deployments } from './agents/deployments.ts'
import { Holds } from './agents/holds.ts'
import { startMemoryWatch } from './agents/memory-watch.ts'
import { Programs } from './agents/programs.ts'
import { AgentRegistry } from './agents/registry.ts'
import { Supervisor } from './agents/supervisor.ts'
import { Alarm } from './alarm.ts'
import { findAppParts, installApp, pruneApps } from './app-dir.ts'
import { openApprovals } from './approvals/open-approvals.ts'
import { AuditLog } from './audit-log.ts'
import { Broker } from './broker/broker.ts'
import { SqliteStore } from './broker/sqlite-store.ts'
import { endCompanion } from './companion.ts'
import { chooseRuntime } from './containers/choose.ts'
import { openEventDatabase, openHiveDatabase } from './database.ts'
import { DemoModel } from './demo-model.ts'
import { DiskWatch } from './disk-watch.ts'
import { EventStore } from './events/event-store.ts'
import { Gateway } from './gateway-client.ts'
import { Backup } from './housekeeping/backup.ts'
import { measureAgent } from './housekeeping/disk-usage.ts'
import { Tombstones } from './housekeeping/tombstones.ts'
import { createIntervals } from './intervals.ts'
import { createLayout, makeHiveDirectories } from './layout.ts'
import { LoginFiles } from './logins/login-files.ts'
import { LoginFlows } from './logins/login-flows.ts'
import { LoginNews } from './logins/login-news.ts'
import { ManagerNews } from './manager-news.ts'
import { chooseModel, demoEnv } from './model-choice.ts'
import { Accounts } from './money/accounts.ts'
import { DayNotes } from './money/day-notes.ts'
import { Ledger } from './money/ledger.ts'
import { RequestWatch } from './money/request-watch.ts'
import { Needs } from './needs/needs.ts'
import { DISK_REASON } from './needs/needs-of-agent.ts'
import { Permissions } from './permissions/permissions.ts'
import { Questions } from './questions/questions.ts'
import { AppliedRepositories } from './repositories/applied-repositories.ts'
import { MetaRepository } from './repositories/meta-repository.ts'
import { KEEP_DONE_MS, KEEP_STREAM_MS, KEEP_TURNS_MS, Retention } from './retention.ts'
import { openSchedules } from './schedules/open-schedules.ts'
import { Secrets } from './secrets.ts'
import { seedDemo } from './seed-demo.ts'
import { Sinks } from './sinks/sinks.ts'
import { agentHandlers } from './sockets/agent-socket.ts'
import { hostHandlers } from './sockets/host-socket.ts'
import { managerHandlers } from './sockets/manager-socket.ts'
import { Terminals } from './terminals/terminals.ts'
import { assertReach, readTls } from './web/addresses.ts'
import { WebToken } from './web/token.ts'
import { Web } from './web/web.ts'

/** How long a start waits for harnesses before it says that it serves. */
const HELLO_PATIENCE_MS = 2_000

/** How long another daemon may take to say that it is there. */
const ALONE_TIMEOUT_MS = 5_000
const LONGEST_NAME = 'a'.repeat(9)

export interface Daemon {
  /** What the operator should be told at the start. */
  readonly notices: readonly string[]
  /** Ends it. Agents go on running unless told to stop. */
  stop(options: { stopAgents: boolean }): Promise<void>
  /** Resolves when it has ended, whoever asked. */
  readonly done: Promise<void>
}

/**
 * Starts the host daemon: the whole story of a hive is told here, in order; it is taken down in the reverse one.
 * Throws `conflict` when a daemon serves this hive already, `unavailable` when something it needs is missing.
 * Tells `onStep` what it does at the moment.
 */
export async function startDaemon(settings: Settings, onStep: (step: string) => void = () => {}): Promise<Daemon> {
  const log = createLog(settings.logLevel)
  const uid = process.getuid?.() ?? 0
  const now = createSteadyClock()
  const intervals = createIntervals(settings.speedup)
  const passes = createFailPoints(process.env.HIVE_FAIL_POINT)
  const startedAt = Date.now()
  const layout = createLayout(settings)
  // The longest socket path of any agent, rather now than at its spawn.
  assertSocketPath(layout.agent(LONGEST_NAME).egressSocket)
  assertReach(settings)
  const tls = readTls(settings)
  await assertAlone(layout.hostSocket)
  makeHiveDirectories(layout, uid)

  await using running = new AsyncDisposableStack()
  const db = running.use(openHiveDatabase(layout.database))
  const eventDb = running.use(openEventDatabase(layout.eventDatabase))
  const registry = new AgentRegistry(db)
  const audit = new AuditLog(db)
  const holds = new Holds({ db, registry })
  const ledger = new Ledger(db)
  const notes = new DayNotes(db, audit)
  const accounts = new Accounts({
    ledger,
    notes,
    agents: () => registry.names(),
    budgetOf: (agent) => deployments.find(agent)?.config.budgets ?? {},
    hiveBudget: settings.budget,
  })
  const store = new SqliteStore({
    db,
    inboxCap: settings.inboxCap,
    maxHops: settings.maxHops,
    onTurnEnd: (turn) => {
      accounts.settle(turn)
      loginNews.settle(turn, supervisor.link(turn.agent).live?.ready?.login)
    },
    intervals,
  })
  const events = new EventStore(eventDb, () => db.isFull)
  onStep('the programs that agents run are bundled and copied')
  const app = installApp(layout.apps, await findAppParts())
  const programs = new Programs({ db, apps: layout.apps, current: app })
  onStep('a sandbox is tried')
  const runtime = await chooseRuntime(settings.runtime, { stateDir: layout.containers, log })

  onStep('the repositories of configurations are looked at')
  const repositories = new AppliedRepositories({ directory: layout.applied, log })
  await repositories.sweep()
  const meta = new MetaRepository({ directory: layout.meta })
  await meta.open()
  const secrets = new Secrets(db)
  const secret = (name: string) => secrets.get(name)
  const webToken = await WebToken.open(layout.webToken, log)
  const deployments: Deployments = new Deployments({
    db,
    directory: layout.deployments,
    repositories,
    runtime,
    secrets,
    buildTimeoutMs: settings.buildSeconds * 1000,
    onDeployed: (agent) => {
      schedules.reread(agent)
      alarm.set()
    },
  })

  onStep('the gateway, and the scripted model of a demo, come up')
  const model = await chooseModel(db, settings)
  const demo =
    model === 'demo' ? running.use(new DemoModel({ layout, app, log, onMoved: () => tellOfMovedModel() })) : undefined
  const moved = await demo?.open()
  /** What an agent brings itself wins; in a demo no credential passes, whoever has it. */
  const agentEnv = (agent: string, own: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const env = { ...settings.agentEnv, ...own }
    return demo ? demoEnv(env, demo.url(), agent) : env
  }
  const gateway = running.use(
    new Gateway({
      layout,
      app,
      daemonUid: uid,
      log,
      agents: () => registry.names(),
      egressOf: (agent) => deployments.find(agent)?.config.egress,
      endpoints: () => settings.endpoints,
      modelUrl: () => agentEnv(MANAGER).ANTHROPIC_BASE_URL,
    }),
  )
  await gateway.open()

  /** Something waits for the operator, or does not any more. */
  const onQueueChanged = () => {
    broker.changes.notify()
    alarm.set()
  }
  const permissions = new Permissions({
    db,
    audit,
    bashOf: (agent) => deployments.find(agent)?.config.bash,
    waitMs: settings.permissionSeconds * 1000,
    onChange: onQueueChanged,
  })
  const broker: Broker = running.use(
    new Broker({
      store,
      slots: settings.slots ?? defaultSlots(),
      sendRate: { perSecond: settings.sendPerSecond, burst: settings.sendBurst },
      chainRate: { perSecond: settings.chainPerMinute / 60, burst: settings.chainPerMinute },
      recipients: registry,
      allowedRecipients: (agent) => deployments.find(agent)?.config.allowedRecipients,
      overspent: (agent) => accounts.overspent(agent),
      isHeld: (agent) => holds.isHeld(agent),
      onTurnOver: (agent) =>
        // What is left of it ends with its deadline, or at the next start.
        permissions.withdrawAllOf(agent).catch((error) => {
          log.error({ agent, error: errorText(error) }, 'the permissions of a turn that is over could not be withdrawn')
        }),
      deadlineMs: intervals.deadlineMs,
      now,
    }),
  )
  const { schedules, reminders } = openSchedules({
    db,
    registry,
    entriesOf: (agent) => deployments.deployed(agent)?.config.schedules,
    broker,
    inboxCap: settings.inboxCap,
    onChange: () => alarm.set(),
    passes,
  })
  const questions = new Questions({
    db,
    registry,
    broker,
    audit,
    mayAsk: (agent) => deployments.find(agent)?.config.askOperator === true,
    onChange: onQueueChanged,
    passes,
  })
  const alarm: Alarm = running.use(
    new Alarm({
      sources: [schedules, reminders, questions, permissions],
      deadlineMs: intervals.deadlineMs,
      log,
    }),
  )
  const news = new ManagerNews({ registry, broker, log })
  const crashes = new CrashNews({ registry, runtime, news, intervals })
  const loginNews = new LoginNews({ db, broker, news })
  const loginFiles = new LoginFiles(layout)
  const supervisor = running.use(
    new Supervisor({
      registry,
      broker,
      runtime,
      deployments,
      loginFiles,
      loginNews,
      programs,
      layout,
      network: settings.network,
      limits: {
        memoryBytes: settings.memoryMiB && settings.memoryMiB * 1024 * 1024,
        cpus: settings.cpus,
        pids: settings.pids,
      },
      dashboardPort: settings.port,
      daemonUid: uid,
      silentMs: settings.silentSeconds * 1000,
      intervals,
      holds,
      onCrash: (crash) => crashes.tell(crash),
      log,
      now,
    }),
  )

  const views = running.use(
    new AgentViews({
      registry,
      broker,
      supervisor,
      deployments,
      accounts,
      holds,
      operation: (agent) => lifecycle.operation(agent),
      isAsking: (agent) => permissions.isAsking(agent),
      programs,
      defaultModel: settings.model,
      now,
      onChange: () => broker.changes.notify(),
    }),
  )

  /** What an agent was told at hello holds for its whole life. */
  const tellOfMovedModel = async () => {
    await gateway.configure()
    await supervisor.restartAll()
  }

  const logins = new LoginFlows({ command: (agent, command) => supervisor.link(agent).command(command) })

  const onInternalError = (error: unknown, op: string) => log.error({ op, err: error }, 'an operation failed')
  const socketDeps = {
    registry,
    broker,
    supervisor,
    deployments,
    secret,
    events,
    reminders,
    accounts,
    questions,
    permissions,
    logins,
    loginNews,
    loginFiles,
    log,
    defaults: {
      model: settings.model,
      keepWarmMs: settings.keepWarmSeconds * 1000,
      hangMs: settings.hangSeconds * 1000,
      heartbeatMs: (settings.silentSeconds * 1000) / 3,
      checkpointAt: settings.checkpointAt,
    },
    agentEnv,
  }
  const kick = new Kick({ registry, broker, log })
  const onRepositoriesChanged = () => {
    const manager = supervisor.link(MANAGER)
    if (manager.live) manager.command({ do: 'keep_repositories' })
  }
  const lifecycle: Lifecycle = running.use(
    new Lifecycle({
      registry,
      broker,
      supervisor,
      holds,
      crashes,
      deployments,
      programs,
      kick,
      repositories,
      meta,
      events,
      ledger,
      news,
      layout,
      daemonUid: uid,
      log,
      configureGateway: (agent) => gateway.configure(agent),
      onRepositoriesChanged,
      onDestroyed: async (agent) => {
        await approvals.failAllOf(agent, `${agent} was destroyed`)
        await questions.cancelAllOf(agent)
        logins.forget(agent)
      },
      onPurged: (agent) => permissions.purge(agent),
      openSocket: (agent) => {
        // Its directory lets the agent's group pass, and hands that group down to the socket.
        const options = {
          path: layout.agent(agent).socket,
          mode: 0o660,
          limits: { rate: { perSecond: settings.requestsPerSecond, burst: 2 * settings.requestsPerSecond } },
          onInternalError,
        }
        return agent === MANAGER
          ? serveOps(
              managerOps,
              managerHandlers({ ...socketDeps, lifecycle, rebuild, runtime, approvals, audit }),
              options,
            )
          : serveOps(agentOps, agentHandlers(socketDeps, agent), options)
      },
    }),
  )

  const trial = new Trial({
    registry,
    broker,
    supervisor,
    deployments,
    runtime,
    lifecycle,
    configureGateway: (agent) => gateway.configure(agent),
    healthMs: settings.healthSeconds * 1000,
    log,
    now,
  })
  const { approvals, deployer } = openApprovals({
    db,
    registry,
    supervisor,
    deployments,
    repositories,
    meta,
    lifecycle,
    trial,
    news,
    kick,
    audit,
    onChange: () => broker.changes.notify(),
    onRepositoriesChanged,
    passes,
    log,
  })
  running.use(deployer)
  const rebuild = new Rebuild({ registry, store, deployments, programs, lifecycle, trial, news, kick, audit, log })
  const autoUpdate = running.use(new AutoUpdate({ registry, programs, rebuild, news, isOn: settings.autoUpdate, log }))

  const terminals = running.use(new Terminals({ isOn: settings.terminal, runtime, audit, log }))
  const requests = running.use(
    new RequestWatch({
      count: () => gateway.modelRequests(),
      notes,
      hasWorked: (agent, since) => supervisor.link(agent).hasWorked(since),
      now,
    }),
  )
  const retention = running.use(
    new Retention({
      perishables: [
        { what: 'messages', keepMs: KEEP_DONE_MS, vacuum: (before, limit) => store.vacuum(before, limit) },
        { what: 'turns', keepMs: KEEP_TURNS_MS, vacuum: (before, limit) => ledger.vacuum(before, limit) },
        { what: 'events', keepMs: KEEP_STREAM_MS, vacuum: (before, limit) => events.vacuum(before, limit) },
      ],
      everyMs: intervals.sweepMs,
      log,
    }),
  )
  running.use(
    startMemoryWatch({
      spare: settings.spareMiB * 1024 * 1024,
      agents: () => registry.names().map((agent) => supervisor.restOf(agent)),
      rest: (agent) => supervisor.link(agent).command({ do: 'rest' }),
      log,
    }),
  )

  const diskWatch = running.use(
    new DiskWatch({
      directory: layout.stateDir,
      lowBytes: settings.lowDiskMiB * 1024 * 1024,
      everyMs: intervals.deadlineMs,
      agents: () => registry.list().flatMap(({ name, desired }) => (desired === 'running' ? [name] : [])),
      measure: (agent, signal) => measureAgent({ agent, registry, layout, events, daemonUid: uid, signal }),
      restrain: (agent, reason) => lifecycle.restrain(agent, DISK_REASON + reason),
      onChange: () => broker.changes.notify(),
      log,
    }),
  )
  const needs = new Needs(
    {
      store,
      approvals,
      agents: () => views.all(),
      questions: () => questions.open().questions,
      permissions: () => permissions.pending().permissions,
      failedUpdates: () => programs.failed(registry.names()),
      account: () => accounts.ofHive(),
      stopped: () => holds.stopped,
      lowDisk: () => diskWatch.low(),
      undecodable: async () => [
        ...(await store.undecodable()),
        ...registry.undecodable,
        ...deployments.undecodable,
        ...questions.open().errors,
        ...permissions.pending().errors,
      ],
    },
    broker.changes,
  )
  await Sinks.forgetOthers(db, settings.sinks)
  const sinks = running.use(
    new Sinks({ ...settings, characters: settings.sinkCharacters, db, needs, secret, intervals, log, now }),
  )

  onStep('the agents come up')
  if (!registry.find(MANAGER)) await registry.create(MANAGER, Date.now())
  await programs.adopt(registry.names(), await runtime.list())
  await lifecycle.openAll()
  broker.takeUp(registry.names())
  await questions.cancelOfGone()
  await permissions.resume((agent, epoch) => store.holds(agent) && store.epoch(agent) === epoch)
  await supervisor.reconcile()
  if (moved?.hasMoved) await supervisor.restartAll()
  await approvals.resume()
  autoUpdate.begin()
  alarm.look()
  await loginNews.resume()
  // Containers of an older hive have the revision of their programs there. What agents are on is kept for the next time, too.
  const inUse = (await runtime.list()).map(({ app, deployment }) => app ?? deployment.reference)
  pruneApps(layout.apps, new Set([...programs.inUse(), ...inUse]))
  const seeded = demo ? seedDemo({ db, registry, lifecycle, broker, log }) : Promise.resolve()

  const ended = Promise.withResolvers<void>()
  const stack = running.move()
  let stopping: Promise<void> | undefined
  /** Whatever fails, the rest is taken down too. */
  const takeDown = async (stopAgents: boolean): Promise<void> => {
    const attempt = async (what: string, work: Promise<unknown>) => {
      try {
        await work
      } catch (error) {
        log.error({ what, error: errorText(error) }, 'the hive did not end cleanly')
      }
    }
    deployer.halt()
    autoUpdate.halt()
    supervisor.refuseStarts()
    await seeded
    if (stopAgents) await attempt('agents', supervisor.stopAll({ now: false }))
    await attempt('parts of the daemon', stack.disposeAsync())
    // They serve the agents: without those nobody needs them.
    if (stopAgents) {
      for (const name of ['gateway', 'model']) await attempt(name, endCompanion({ name, stateDir: layout.stateDir }))
    }
    ended.resolve()
  }
  const stop = ({ stopAgents }: { stopAgents: boolean }): Promise<void> => {
    stopping ??= takeDown(stopAgents)
    return stopping
  }
  const handlers = hostHandlers({
    registry,
    broker,
    supervisor,
    views,
    lifecycle,
    rebuild,
    holds,
    deployments,
    approvals,
    repositories,
    questions,
    permissions,
    secrets,
    schedules,
    reminders,
    audit,
    ledger,
    accounts,
    notes,
    requests,
    events,
    logins,
    terminals,
    needs,
    housekeeping: {
      tombstones: new Tombstones({ registry, lifecycle, layout, daemonUid: uid }),
      backup: new Backup({ layout, db, eventDb, repositories, meta }),
      sinks,
    },
    runtime,
    app,
    defaultModel: settings.model,
    about: {
      version: readPackageVersion(),
      stateDir: layout.stateDir,
      runDir: layout.runDir,
      startedAt,
      model,
      network: settings.network,
      terminal: settings.terminal,
    },
    errors: () => [
      ...parts.flatMap((part) => part?.errors() ?? []),
      ...(db.isFull
        ? [{ where: 'disk', problem: 'full: turns end, but nothing new is taken', since: Date.now() }]
        : []),
    ],
    web: { link: (agent) => web.link(agent), newToken: () => web.newToken() },
    shutdown: (options) => setImmediate(() => void stop(options)),
  })
  const web: Web = stack.use(
    new Web({
      settings,
      handlers,
      token: webToken,
      tls,
      registry,
      broker,
      views,
      events,
      diff: (id, base, sha) => approvals.diff(id, base, sha),
      health: () => (stopping ? 'stopping' : db.isFull ? 'disk_full' : 'ok'),
      startedAt,
      log,
    }),
  )
  /** What can be in trouble, and goes on trying. */
  const parts = [web, gateway, demo, supervisor, loginFiles, deployer, alarm, repositories, retention, diskWatch, sinks]
  await web.open()
  stack.use(await serveOps(hostOps, handlers, { path: layout.hostSocket, onInternalError }))
  // So that who asks now sees agents, not their absence.
  await supervisor.waitForHellos(HELLO_PATIENCE_MS)
  log.info({ pid: process.pid, runtime: runtime.kind, model, revision: app.revision }, 'the hive serves')
  return { notices: web.notices, stop, done: ended.promise }
}

/** A second daemon on the same hive would be refused by the database too; this says it in fewer words. */
async function assertAlone(socket: string): Promise<void> {
  const signal = AbortSignal.timeout(ALONE_TIMEOUT_MS)
  try {
    await using connection = await connectOps(hostOps, socket)
    const { pid } = await connection.call.ping({}, { signal })
    throw new HiveError('conflict', `a hive daemon (pid ${pid}) serves ${socket} already`, {
      hint: 'hive status shows it',
    })
  } catch (error) {
    if (error instanceof HiveError && error.code === 'unreachable') return
    if (signal.aborted) {
      throw new HiveError('conflict', `a hive daemon listens on ${socket} and does not answer`, {
        hint: 'it may have been stopped with Ctrl-Z: continue it with fg, or end it',
      })
    }
    throw error instanceof HiveError ? error : new HiveError('unavailable', errorText(error), { cause: error })
  }
}

/** As many turns at once as the memory carries: 512 MiB each, 2 GiB left for the rest. */
const defaultSlots = (): number => Math.max(2, Math.floor((totalmem() - 2 * 1024 ** 3) / (512 * 1024 ** 2)))

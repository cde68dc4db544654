import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { createLog } from '../../kit/log.ts'
import type { Approval } from '../../wire/approvals.ts'
import { containerName, MANAGER } from '../../wire/names.ts'
import { Kick } from '../actions/kick.ts'
import { Lifecycle } from '../actions/lifecycle.ts'
import { Rebuild } from '../actions/rebuild.ts'
import { Trial } from '../actions/trial.ts'
import { Deployments } from '../agents/deployments.ts'
import { ORDINARY_USER, openSupervised } from '../agents/supervised-in-test.ts'
import { AuditLog } from '../audit-log.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import { openEventDatabase } from '../database.ts'
import { EventStore } from '../events/event-store.ts'
import { ManagerNews } from '../manager-news.ts'
import { AppliedRepositories } from '../repositories/applied-repositories.ts'
import { MetaRepository } from '../repositories/meta-repository.ts'
import { makeProposal } from '../repositories/proposals-in-test.ts'
import { Secrets } from '../secrets.ts'
import { openApprovals } from './open-approvals.ts'

/** Runs git and gives what it prints. */
export const git = (directory: string, ...args: string[]): string =>
  execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8' }).trim()

/** How an agent behaves once it was started: `env.BEHAVE` of its configuration says it. */
type Behaviour = 'well' | 'silent' | 'broken_tools' | 'needs_login'

export interface Options {
  readonly bend?: (runtime: ContainerRuntime) => Partial<ContainerRuntime>
  readonly healthMs?: number
  /** Throws while the gateway is away. */
  readonly configureGateway?: () => Promise<void>
  readonly buildTimeoutMs?: number
  readonly lookMs?: number
  /** How an agent behaves with a revision of the programs; unless it says so, as its configuration has it. */
  readonly behaves?: (agent: string, revision: string) => Behaviour | undefined
}

/** Everything that approvals need, on the fake runtime with real repositories; alice and the manager run. */
export async function openApprovalsInTest({
  configureGateway = async () => {},
  bend = () => ({}),
  healthMs = 20_000,
  buildTimeoutMs = 20_000,
  lookMs = 10_000,
  behaves = () => undefined,
}: Options = {}) {
  const stack = new AsyncDisposableStack()
  /** Links are asked for once the supervisor is there. */
  let speak = async (_container: string): Promise<void> => {}
  const hive = stack.use(
    await openSupervised(
      (runtime) => {
        const bent = { ...runtime, ...bend(runtime) }
        return {
          ...bent,
          async start(name) {
            const status = await bent.start(name)
            await speak(name)
            return status
          },
        }
      },
      {
        lookMs,
        deployments: {
          get: (agent) => deployments.get(agent),
          find: (agent) => deployments.find(agent),
          isOnTrial: (agent) => deployments.isOnTrial(agent),
        },
      },
    ),
  )
  const { db, layout, registry, broker, supervisor, programs, runtime } = hive
  const eventDb = stack.use(openEventDatabase(':memory:'))
  const log = createLog('silent')
  const repositories = new AppliedRepositories({ directory: layout.applied, log })
  const meta = new MetaRepository({ directory: layout.meta })
  await repositories.sweep()
  await meta.open()
  const secrets = new Secrets(db)
  const deploymentsOptions = {
    db,
    directory: layout.deployments,
    repositories,
    runtime,
    secrets,
    buildTimeoutMs,
  }
  const deployments = new Deployments(deploymentsOptions)
  const audit = new AuditLog(db)
  const news = new ManagerNews({ registry, broker, log })
  const kick = new Kick({ registry, broker, log })
  const close = async () => {}
  const lifecycle = stack.use(
    new Lifecycle({
      registry,
      broker,
      supervisor,
      holds: hive.holds,
      crashes: hive.crashes,
      deployments,
      programs,
      repositories,
      meta,
      news,
      kick,
      ledger: hive.ledger,
      layout,
      events: new EventStore(eventDb),
      daemonUid: ORDINARY_USER,
      log,
      configureGateway: async () => {},
      openSocket: async () => ({ close, [Symbol.asyncDispose]: close }),
      onRepositoriesChanged: () => {},
      onDestroyed: (agent) => approvals.failAllOf(agent, `${agent} was destroyed`),
      onPurged: async () => {},
    }),
  )
  const ending = new AbortController()
  stack.defer(() => ending.abort())
  speak = async (container) => {
    const agent = registry.names().find((name) => containerName(name) === container) as string
    const { sha, config } = deployments.get(agent)
    const { revision } = programs.of(agent)
    const behaviour = behaves(agent, revision) ?? ((config.env.BEHAVE ?? 'well') as Behaviour)
    if (behaviour === 'silent') return
    const epoch = await broker.beginEpoch(agent, { charge: false, reason: '' })
    const link = supervisor.link(agent)
    const gone = new AbortController()
    link.attach({ signal: gone.signal, connection: {} }, { epoch, revision, deployment: sha })
    link.becameReady({
      claude: behaviour === 'needs_login' ? 'needs_login' : 'ok',
      detail: '',
      mcp: behaviour === 'broken_tools' ? { extra: 'error' } : {},
    })
    supervisor.admitMail(agent)
    void link.takeCommands(60_000, AbortSignal.any([gone.signal, ending.signal])).then(() => gone.abort())
  }
  const trial = new Trial({
    registry,
    broker,
    supervisor,
    deployments,
    runtime,
    lifecycle,
    configureGateway,
    healthMs,
    log,
    now: () => performance.now(),
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
    onChange: () => {},
    onRepositoriesChanged: () => {},
    passes: () => {},
    log,
  })
  stack.use(deployer)
  const rebuild = new Rebuild({
    registry,
    store: broker.store,
    deployments,
    programs,
    lifecycle,
    trial,
    news,
    kick,
    audit,
    log,
  })
  stack.defer(() => rebuild.halt())
  await registry.create(MANAGER, 0)
  for (const agent of ['alice', MANAGER]) await lifecycle.bringUp(agent)

  const appliedOf = (agent: string) => join(layout.applied, agent, '.git')
  /** A commit with these files on top of what is deployed, or of `parent`, proposed by the manager. */
  const propose = async (
    files: Record<string, string>,
    { agent = 'alice', parent = 'main' } = {},
  ): Promise<Approval> => {
    const { sha, pack } = makeProposal(appliedOf(agent), files, parent)
    return approvals.requestApplyCommit({ agent, sha, pack, requester: MANAGER, description: undefined })
  }
  /** Resolves when nothing goes on with an approval any more. */
  const settled = async (id: number): Promise<Approval> => {
    for (;;) {
      const { approval } = await approvals.followLog(id, 1e6, 60_000, new AbortController().signal)
      if (approval.state !== 'approved' && approval.step === null) return approval
    }
  }
  const approve = ({ id, base, sha }: Approval) => approvals.approve({ id, base, sha }, 'operator')
  return {
    ...hive,
    approvals,
    deployer,
    deployments,
    deploymentsOptions,
    lifecycle,
    rebuild,
    repositories,
    secrets,
    audit,
    propose,
    settled,
    approve,
    appliedOf,
    /** Approves and waits for the end. */
    async deploy(approval: Approval): Promise<Approval> {
      await approve(approval)
      return settled(approval.id)
    },
    main: (agent = 'alice') => git(appliedOf(agent), 'rev-parse', 'main'),
    tags: (id: number, agent = 'alice') =>
      git(appliedOf(agent), 'tag', '--list', `*/${id}`)
        .split('\n')
        .map((tag) => tag.split('/')[0])
        .sort(),
    /** Commit that the container of an agent runs with. */
    running: async (agent = 'alice') => {
      const statuses = await hive.fake.list()
      const status = statuses.find(({ name }) => name === containerName(agent))
      return status?.state === 'running' ? status.deployment.revision : status?.state
    },
    log: async (id: number) =>
      (await approvals.followLog(id, 0, 0, new AbortController().signal)).lines.map(({ text }) => text).join('\n'),
    /** Bodies of what the manager was told. */
    async news() {
      const { messages } = await broker.store.list({ agent: MANAGER, limit: 100 })
      return messages.map(({ body }) => JSON.parse(body) as { event: string; [key: string]: unknown })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** An agent.json. */
export const config = (fields: object): Record<string, string> => ({ 'agent.json': JSON.stringify(fields) })

import type { Log } from '../../kit/log.ts'
import { createNotifier } from '../../kit/notifier.ts'
import type { Database } from '../../kit/sqlite.ts'
import type { DeployStep } from '../../wire/approvals.ts'
import { errorText, HiveError, isFullDisk } from '../../wire/errors.ts'
import type { HelperEvent } from '../../wire/events.ts'
import type { Kick } from '../actions/kick.ts'
import type { Lifecycle } from '../actions/lifecycle.ts'
import type { Trial } from '../actions/trial.ts'
import type { Deployable, Deployments } from '../agents/deployments.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Supervisor } from '../agents/supervisor.ts'
import type { AuditLog } from '../audit-log.ts'
import type { ManagerNews } from '../manager-news.ts'
import { type Problem, Problems } from '../problems.ts'
import type { AppliedRepositories } from '../repositories/applied-repositories.ts'
import type { MetaRepository } from '../repositories/meta-repository.ts'
import { type ApprovalRow, type ApprovalStore, firstLine } from './approval-store.ts'
import { type DeployAction, type DeployFacts, nextAction } from './deploy-course.ts'
import type { DeployLog } from './deploy-log.ts'

export interface DeployerOptions {
  readonly db: Database
  readonly store: ApprovalStore
  readonly repositories: AppliedRepositories
  readonly meta: MetaRepository
  readonly deployments: Deployments
  readonly lifecycle: Lifecycle
  readonly supervisor: Supervisor
  readonly registry: AgentRegistry
  readonly trial: Trial
  readonly news: ManagerNews
  readonly kick: Pick<Kick, 'tell'>
  readonly deployLog: DeployLog
  readonly audit: AuditLog
  /** Agents have come or gone, or what is deployed has changed. */
  readonly onRepositoriesChanged: () => void
  /** For tests: told after each step, by name. */
  readonly passes: (point: string) => void
  readonly log: Log
}

const RETRY_MS = 5_000
/** A deploy that ended so often without an end of its own, such as one that takes the daemon with it, is given up. */
const MAX_TRIES = 5

const STEPS: Record<DeployAction, DeployStep> = {
  mark_approved: 'queued',
  mark_building: 'building',
  build: 'building',
  switch: 'switching',
  promote: 'promoting',
  record: 'promoting',
  roll_back: 'rolling_back',
}

/**
 * Sees approvals through that were decided, one after the other in the order of the decisions. Their rows and the tags in the
 * applied repositories are all that it knows, so a daemon that was killed goes on where it was.
 */
export class Deployer implements AsyncDisposable {
  readonly #options: DeployerOptions
  readonly #queue: number[] = []
  /** By this daemon. */
  readonly #begun = new Set<number>()
  #step: DeployStep = 'queued'
  #working: Promise<void> | undefined
  readonly #problems = new Problems()
  readonly #closing = new AbortController()

  constructor(options: DeployerOptions) {
    this.#options = options
  }

  /** Takes up what an earlier daemon left. */
  resume(): void {
    const { rows, errors } = this.#options.store.unfinished()
    for (const { id } of rows) this.enqueue(id)
    for (const { id, problem } of errors) this.#problems.note(`approval ${id}`, problem)
  }

  enqueue(id: number): void {
    if (this.#queue.includes(id)) return
    this.#queue.push(id)
    this.#wake()
  }

  #wake(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      if (this.#queue.length > 0 && !this.#closing.signal.aborted) this.#wake()
    })
  }

  /** What goes on with an approval, and its place in the queue while it waits in it. */
  progress(id: number): { step: DeployStep | null; position: number | null } {
    const position = this.#queue.indexOf(id)
    if (position < 0) return { step: null, position: null }
    return position === 0 ? { step: this.#step, position: null } : { step: 'queued', position }
  }

  /** What cannot be done at the moment; it is tried again. */
  errors(): Problem[] {
    return this.#problems.list()
  }

  /** Ends what goes on where it is; the next start takes it up. */
  halt(): void {
    this.#closing.abort()
  }

  async #work(): Promise<void> {
    const { log, deployLog } = this.#options
    const { signal } = this.#closing
    for (;;) {
      const id = this.#queue[0]
      if (id === undefined || signal.aborted) return
      const where = `approval ${id}`
      try {
        await this.#seeThrough(id)
        this.#problems.clear(where)
        this.#queue.shift()
        deployLog.changes.notify()
      } catch (error) {
        if (signal.aborted) return // What it needs is being taken down.
        log.error(
          { approval: id, error: errorText(error) },
          'a decision cannot be seen through, and will be tried again',
        )
        this.#problems.note(where, error)
        // Others need not wait for it.
        this.#queue.push(...this.#queue.splice(0, 1))
        await createNotifier().wait(RETRY_MS, signal)
      }
    }
  }

  async #seeThrough(id: number): Promise<void> {
    const { store, lifecycle } = this.#options
    const row = store.get(id)
    if (row.state !== 'approved') return this.finish(id)
    await lifecycle.whenFree(row.agent, 'deploy', async () => {
      this.#enter('queued')
      if (row.kind === 'apply_commit') await this.#deploy(row)
      else await this.#make(row)
    })
  }

  #enter(step: DeployStep): void {
    this.#step = step
    this.#options.deployLog.changes.notify()
  }

  async #say(id: number, text: string): Promise<void> {
    try {
      await this.#options.deployLog.add(id, text)
    } catch (error) {
      this.#options.log.warn({ approval: id, text, error: errorText(error) }, 'a line of a deploy is not kept')
    }
  }

  /** A new agent, or only its repository. */
  async #make(row: ApprovalRow): Promise<void> {
    const { db, store, audit, deployments, lifecycle, registry, supervisor, news, onRepositoriesChanged } =
      this.#options
    const { id, agent, kind } = row
    let sha: string
    try {
      if (kind === 'init_config') sha = await deployments.prepare(agent)
      else {
        await this.#say(id, `${agent} is made`)
        if (registry.has(agent)) await supervisor.waitForHello(agent)
        else await lifecycle.spawnNow(agent)
        sha = deployments.get(agent).sha
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return
      return this.#fail(row, errorText(error))
    }
    onRepositoriesChanged()
    const tag = kind === 'init_config' ? 'deployed/0' : undefined
    await this.#tell(row, { status: 'approved', sha, tag })
    if (kind === 'spawn') await news.tell({ event: 'spawned', agent, ok: true, sha }, `spawned-${id}`)
    await this.#say(id, kind === 'init_config' ? `/proposed/${agent} is there` : `${agent} runs`)
    await db.write(() => {
      store.deployed(id, null, Date.now())
      audit.add({ actor: 'system', verb: kind, agent, approval: id, detail: { sha } })
    })
  }

  async #deploy(row: ApprovalRow): Promise<void> {
    const { id, agent } = row
    const { db, store, repositories, passes } = this.#options
    const sha = row.sha as string
    const base = row.base as string
    if (!repositories.has(agent) || this.#options.registry.wasDestroyed(agent)) {
      return this.#fail(row, `${agent} is gone`)
    }
    const facts = { tags: await repositories.tags(agent, id), failure: null as string | null }
    if (!facts.tags.has('deployed')) {
      if ((await repositories.main(agent)) !== base) return this.#becomeStale(row)
      if (row.tries >= MAX_TRIES) facts.failure = `it was begun ${row.tries} times and never came to an end`
      if (!this.#begun.has(id)) await db.write(() => store.begin(id), { essential: true })
      this.#begun.add(id)
    }
    let built: Deployable | undefined
    let isHealthy = false
    for (;;) {
      const known: DeployFacts = { ...facts, isBuilt: built !== undefined, isHealthy }
      const action = nextAction(known)
      this.#enter(STEPS[action])
      try {
        if (action === 'record') return await this.#record(row, { sha, built })
        if (action === 'roll_back') return await this.#rollBack(row, facts.failure ?? 'it failed before')
        if (action === 'mark_approved' || action === 'mark_building') {
          const tag = action === 'mark_approved' ? 'approved' : 'building'
          await repositories.tag(agent, id, tag, sha)
          facts.tags.add(tag)
        }
        if (action === 'build') built = await this.#build(row, sha)
        if (action === 'switch') {
          await this.#switch(row, built as Deployable)
          isHealthy = true
        }
        if (action === 'promote') {
          await repositories.promote(agent, id, { sha, base })
          facts.tags.add('deployed')
        }
        passes(`deploy.${action}`)
      } catch (error) {
        if (this.#closing.signal.aborted || !FAILS.has(action) || isFullDisk(error)) throw error
        facts.failure = errorText(error)
        // It may have been done all the same.
        if (action === 'promote') facts.tags = await repositories.tags(agent, id)
      }
    }
  }

  async #build({ id, agent }: ApprovalRow, sha: string): Promise<Deployable> {
    await this.#say(id, `building ${sha.slice(0, 12)}`)
    const { deployments } = this.#options
    const built = await this.#telling(id, (say) => deployments.build(agent, sha, say, this.#closing.signal))
    await this.#say(id, `built ${built.reference.slice(0, 12)}`)
    return built
  }

  /** Does something that tells lines of the log as it goes on; once it is over, they are kept. */
  async #telling<T>(id: number, act: (say: (line: string) => void) => Promise<T>): Promise<T> {
    const lines: Promise<void>[] = []
    try {
      return await act((line) => lines.push(this.#say(id, line)))
    } finally {
      await Promise.all(lines)
    }
  }

  async #switch({ id, agent }: ApprovalRow, built: Deployable): Promise<void> {
    const { trial, passes } = this.#options
    const onStarted = () => {
      passes('deploy.started')
      this.#enter('checking')
    }
    await this.#telling(id, (say) => trial.begin(agent, built, { say, onStarted, signal: this.#closing.signal }))
  }

  /** `main` is the commit: what the daemon and everybody else know follows. */
  async #record(row: ApprovalRow, { sha, built }: { sha: string; built: Deployable | undefined }) {
    const { db, store, audit, deployments, meta, news, kick, trial, passes, onRepositoriesChanged } = this.#options
    const { id, agent } = row
    const tag = `deployed/${id}`
    // A daemon that was killed here finds out again what the commit is made to.
    const deployed = built ?? (await deployments.build(agent, sha, () => {}, this.#closing.signal))
    await deployments.promote(agent, deployed, id)
    passes('deploy.record.promoted')
    await meta.record(agent, { sha, artifact: deployed.reference, approval: id, tag })
    passes('deploy.record.meta')
    // Before it is told: it will look there.
    onRepositoriesChanged()
    await this.#tell(row, { status: 'approved', sha, tag })
    const isNew = this.#makesAgent(row)
    await news.tell({ event: isNew ? 'spawned' : 'rebuilt', agent, ok: true, sha, tag }, `built-${id}`)
    if (!isNew) await kick.tell(agent, `approval ${id}: you run with another configuration`, `approval-${id}`)
    passes('deploy.record.told')
    await this.#say(id, `deployed: main of ${agent} is ${sha.slice(0, 12)}, tagged ${tag}`)
    await db.write(() => {
      store.deployed(id, tag, Date.now())
      audit.add({ actor: 'system', verb: 'deployed', agent, approval: id, detail: { sha, base: row.base, tag } })
    })
    passes('deploy.record')
    await trial.settle(agent)
    await deployments.prune(agent)
  }

  async #rollBack(row: ApprovalRow, failure: string): Promise<void> {
    const { deployments, kick, trial, passes } = this.#options
    await this.#say(row.id, `failed: ${failure}`)
    // What could not even be built has touched nothing.
    const isOn = deployments.isOnTrial(row.agent)
    const trouble = isOn ? await trial.rollBack(row.agent, this.#closing.signal) : null
    if (this.#closing.signal.aborted) throw new HiveError('cancelled', 'the hive is stopping')
    const back = deployments.deployed(row.agent)?.sha.slice(0, 12)
    await this.#say(
      row.id,
      trouble === null ? `rolled back to ${back}` : `rolled back to ${back}, which is not well: ${trouble}`,
    )
    if (isOn && !this.#makesAgent(row)) {
      const reason = `approval ${row.id} could not be deployed, and you run with what you had before`
      await kick.tell(row.agent, reason, `approval-${row.id}`)
    }
    passes('deploy.roll_back')
    await this.#fail(row, failure)
    await deployments.prune(row.agent)
  }

  async #fail(row: ApprovalRow, note: string): Promise<void> {
    const { db, store, audit, passes } = this.#options
    await db.write(
      () => {
        if (!store.fail(row.id, note)) return
        const detail = { note: firstLine(note), sha: row.sha }
        audit.add({ actor: 'system', verb: 'failed', agent: row.agent, approval: row.id, detail })
      },
      { essential: true },
    )
    passes('deploy.failed')
    await this.finish(row.id)
  }

  /** It was approved against what runs no longer. */
  async #becomeStale({ id, agent }: ApprovalRow): Promise<void> {
    const { db, store, audit } = this.#options
    await this.#say(id, `what ${agent} runs with has changed since this was approved: show it again`)
    await db.write(() => {
      if (store.unapprove(id)) audit.add({ actor: 'system', verb: 'stale', agent, approval: id })
    })
  }

  /** Sets the tag of an approval that was denied or has failed, and tells the manager. May be repeated. */
  async finish(id: number): Promise<void> {
    const { db, store, repositories, news, passes } = this.#options
    const row = store.get(id)
    if ((row.state !== 'denied' && row.state !== 'failed') || row.endedAt !== null) return
    const { agent, kind, state, sha } = row
    const note = row.note ?? ''
    // The repository may have been purged, and made anew.
    const isTagged = kind === 'apply_commit' && sha !== null && (await this.#hasProposal(row))
    const tag = isTagged ? `${state}/${id}` : null
    if (isTagged) await repositories.close(agent, id, state, sha, note)
    passes('finish.tagged')
    await this.#tell(row, { status: state, note, sha: sha ?? undefined, tag: tag ?? undefined })
    const wasTried = state === 'failed' && row.decidedAt !== null
    if (wasTried && kind !== 'init_config') {
      const event = this.#makesAgent(row) ? 'spawned' : 'rebuilt'
      await news.tell(
        { event, agent, ok: false, note, ...(sha && { sha }), ...(tag && { tag }) },
        `${kind === 'spawn' ? 'spawned' : 'built'}-${id}`,
      )
    }
    passes('finish.told')
    await db.write(() => store.finished(id, tag, Date.now()), { essential: true })
  }

  /** Whether the agent is there only because of this approval; a daemon that was killed may have made it. */
  #makesAgent({ kind, agent, decidedAt }: ApprovalRow): boolean {
    const made = this.#options.registry.find(agent)
    return kind === 'spawn' || !made || (decidedAt !== null && made.createdAt >= decidedAt)
  }

  async #hasProposal({ agent, id }: ApprovalRow): Promise<boolean> {
    const { repositories } = this.#options
    return repositories.has(agent) && (await repositories.tags(agent, id)).has('proposal')
  }

  #tell(
    { id, agent, kind }: ApprovalRow,
    outcome: Pick<Extract<HelperEvent, { event: 'approval_resolved' }>, 'status' | 'note' | 'sha' | 'tag'>,
  ): Promise<void> {
    return this.#options.news.tell({ event: 'approval_resolved', id, agent, kind, ...outcome }, `approval-${id}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.halt()
    await this.#working
  }
}

/** What goes wrong in these is the commit’s fault; in the others it is the machine’s, and they are tried again. */
const FAILS: ReadonlySet<DeployAction> = new Set(['build', 'switch', 'promote'])

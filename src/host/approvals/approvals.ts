import type { Database } from '../../kit/sqlite.ts'
import type { Approval, ApprovalKind, DeployLine, DeployRecord, Diff } from '../../wire/approvals.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import type { Undecodable } from '../../wire/undecodable.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Actor, AuditLog } from '../audit-log.ts'
import type { AppliedRepositories } from '../repositories/applied-repositories.ts'
import { type ApprovalFilter, type ApprovalRow, type ApprovalStore, firstLine, type Shown } from './approval-store.ts'
import type { DeployLog } from './deploy-log.ts'
import type { Deployer } from './deployer.ts'

export interface ApprovalsOptions {
  readonly db: Database
  readonly store: ApprovalStore
  readonly repositories: AppliedRepositories
  readonly registry: AgentRegistry
  readonly deployer: Pick<Deployer, 'enqueue' | 'finish' | 'resume' | 'progress'>
  readonly deployLog: DeployLog
  readonly audit: AuditLog
  /** Told of every change, for those who wait for one. */
  readonly onChange: () => void
  readonly passes: (point: string) => void
}

export interface Request {
  readonly agent: string
  readonly requester: Exclude<Actor, 'system'>
  readonly description: string | undefined
}

export interface Proposal extends Request {
  readonly sha: string
  readonly pack: Buffer
}

export interface ShownApproval {
  readonly approval: Approval
  readonly diff: Diff | null
  readonly commit: { author: string; at: number; message: string } | null
  readonly problem: string | null
}

/** So many may wait for a decision: a manager that asks for more has lost its way. */
const MAX_OPEN = 200
/** So many proposals may be looked at or wait for it, each with its pack in memory. */
const MAX_INTAKES = 8

/** What the operator is asked to decide, and what was decided: requests come in here, decisions go out to the deployer. */
export class Approvals {
  readonly #options: ApprovalsOptions
  #intakes = 0

  constructor(options: ApprovalsOptions) {
    this.#options = options
  }

  /** Asks for a new agent, or for one that was destroyed. Throws `conflict` when there is one, or it was asked for already. */
  async requestSpawn(request: Request): Promise<Approval> {
    return this.#request('spawn', request, () => {
      if (this.#options.registry.has(request.agent)) throw new HiveError('conflict', `agent ${request.agent} exists`)
    })
  }

  /** Asks for the repository of an agent that is yet to be made. Throws `conflict` when there is one, or it was asked for already. */
  async requestInitConfig(request: Request): Promise<Approval> {
    const { agent } = request
    return this.#request('init_config', request, () => {
      if (!this.#options.repositories.has(agent)) return
      throw new HiveError('conflict', `${agent} has a repository already`, {
        hint: `commit to /proposed/${agent} and request_apply_commit`,
      })
    })
  }

  async #request(kind: ApprovalKind, request: Request, check: () => void): Promise<Approval> {
    const { db, store, audit } = this.#options
    const { agent, requester, description } = request
    const id = await db.write(() => {
      check()
      this.#checkRoom()
      const open = store.list({ all: false, agent, limit: MAX_OPEN }).rows.find((row) => row.kind === kind)
      if (open) throw new HiveError('conflict', `approval ${open.id} asks for that already`)
      const added = store.add({ ...request, kind }, Date.now())
      audit.add({ actor: requester, verb: `request_${kind}`, agent, approval: added, detail: { description } })
      return added
    })
    this.#changed()
    return this.get(id)
  }

  #checkRoom(): void {
    if (this.#options.store.countOpen() < MAX_OPEN) return
    throw new HiveError('too_many', `${MAX_OPEN} approvals wait for the operator`, {
      hint: 'cancel those that are not needed',
    })
  }

  /**
   * Takes in a commit and asks for its deployment. Throws `not_found` when the agent has no repository, and why the commit is
   * refused; the refusal is kept with the approval.
   */
  async requestApplyCommit(proposal: Proposal): Promise<Approval> {
    if (this.#intakes >= MAX_INTAKES) {
      throw new HiveError('too_many', `${MAX_INTAKES} proposals are being looked at`, { hint: 'one after the other' })
    }
    this.#intakes += 1
    try {
      return await this.#takeIn(proposal)
    } finally {
      this.#intakes -= 1
    }
  }

  async #takeIn({ agent, sha, pack, requester, description }: Proposal): Promise<Approval> {
    const { db, store, repositories, registry, audit } = this.#options
    if (!repositories.has(agent)) {
      throw new HiveError('not_found', `${agent} has no repository`, { hint: 'request_init_config makes one' })
    }
    if (registry.wasDestroyed(agent)) {
      throw new HiveError('conflict', `${agent} was destroyed`, { hint: 'request_spawn brings it back' })
    }
    const id = await db.write(() => {
      this.#checkRoom()
      const open = store.list({ all: false, agent, limit: MAX_OPEN }).rows.find((row) => row.sha === sha)
      if (open) throw new HiveError('conflict', `approval ${open.id} proposes that commit already`)
      return store.addIncomplete({ agent, kind: 'apply_commit', requester, description }, Date.now())
    })
    try {
      const { base } = await repositories.take(agent, { id, sha, pack })
      await db.write(() => {
        store.takenIn({ id, base, sha })
        const detail = { description, sha, base }
        audit.add({ actor: requester, verb: 'request_apply_commit', agent, approval: id, detail })
      })
    } catch (error) {
      const note = errorText(error)
      await db.write(() => {
        store.refused(id, note)
        audit.add({ actor: 'system', verb: 'refused', agent, approval: id, detail: { sha, note: firstLine(note) } })
      })
      throw error
    } finally {
      this.#changed()
    }
    return this.get(id)
  }

  /** Takes a request back. Throws `conflict` when it has been decided. */
  async cancel(id: number, actor: Actor): Promise<void> {
    const { db, store, audit } = this.#options
    await db.write(() => {
      const row = store.get(id)
      if (actor !== 'operator' && row.requester !== actor) {
        throw new HiveError('forbidden', `approval ${id} was asked for by the ${row.requester}`)
      }
      if (!store.cancel(id, Date.now())) throw this.#isDecided(row)
      audit.add({ actor, verb: 'cancel', agent: row.agent, approval: id })
    })
    this.#changed()
  }

  /** Throws `not_found`. */
  get(id: number): Approval {
    return this.#view(this.#options.store.get(id))
  }

  list(filter: ApprovalFilter): { approvals: Approval[]; errors: Undecodable[] } {
    const { rows, errors } = this.#options.store.list(filter)
    return { approvals: rows.map((row) => this.#view(row)), errors }
  }

  /** How many wait for a decision. */
  countPending(): number {
    return this.#options.store.countPending()
  }

  #view({ tries: _, ...row }: ApprovalRow): Approval {
    // The deployer may still be putting away one that has ended.
    const progress = row.state === 'approved' ? this.#options.deployer.progress(row.id) : { step: null, position: null }
    return { ...row, ...progress }
  }

  /**
   * An approval with what it would change, compared with what runs now. A stale one is pending again: whoever approves it
   * has seen that.
   */
  async show(id: number): Promise<ShownApproval> {
    const { db, store, repositories } = this.#options
    const row = store.get(id)
    const { agent, sha, state } = row
    const isThere = repositories.has(agent) && (await repositories.tags(agent, id)).has('proposal')
    if (sha === null || !isThere) return { approval: this.get(id), diff: null, commit: null, problem: null }
    const isOpen = state === 'pending' || state === 'stale'
    const base = isOpen ? await repositories.main(agent) : (row.base as string)
    const [diff, commit] = await Promise.all([repositories.diff(agent, base, sha), repositories.commit(agent, sha)])
    const problem = isOpen ? await this.#problemOf(row, diff) : null
    if (state === 'stale' && problem === null) {
      await db.write(() => store.shownAgain({ id, base }))
      this.#changed()
    }
    return { approval: this.get(id), diff, commit, problem }
  }

  /** What the commit of an approval differs in from another. Throws `not_found` when it is not the approval's. */
  async diff(id: number, base: string, sha: string): Promise<Diff> {
    const { store, repositories } = this.#options
    const row = store.get(id)
    if (row.sha !== sha || !repositories.has(row.agent)) {
      throw new HiveError('not_found', `approval ${id} has no commit ${sha}`)
    }
    return repositories.diff(row.agent, base, sha)
  }

  /** Why a commit cannot be approved as it is. */
  async #problemOf({ agent, sha }: ApprovalRow, diff: Diff): Promise<string | null> {
    if (diff.truncated !== null) return diff.truncated
    if (await this.#options.repositories.descends(agent, diff.base, sha as string)) return null
    return `it is not based on what ${agent} runs with: the manager has to rebase it onto applied/main and propose it again`
  }

  /**
   * Approves exactly what was shown. Resolves when that is durable: row and tag. Throws `conflict` when it was decided already,
   * when what runs or the commit is not what was shown, or when it cannot be shown whole.
   */
  async approve(shown: Shown, actor: Actor): Promise<Approval> {
    const { db, store, repositories, deployer, audit, passes } = this.#options
    const { id, sha, base } = shown
    const row = store.get(id)
    const { agent } = row
    if (row.kind === 'apply_commit' && (row.state === 'pending' || row.state === 'stale')) {
      await this.#assertAsShown(row, shown)
    }
    await db.write(() => {
      const now = store.get(id)
      if (!store.approve(shown, Date.now())) {
        throw now.state === 'pending' || now.state === 'stale' ? notAsShown(now) : this.#isDecided(now)
      }
      audit.add({ actor, verb: 'approve', agent, approval: id, detail: { sha, base } })
    })
    passes('approve.decided')
    try {
      if (sha !== null) await repositories.tag(agent, id, 'approved', sha)
      passes('approve.tagged')
    } finally {
      // The decision stands; the deployer sets the tag that could not be set here.
      deployer.enqueue(id)
      this.#changed()
    }
    return this.get(id)
  }

  async #assertAsShown(row: ApprovalRow, { base, sha }: Shown): Promise<void> {
    const { repositories } = this.#options
    if (row.sha !== sha || row.base !== base || (await repositories.main(row.agent)) !== base) throw notAsShown(row)
    const problem = await this.#problemOf(row, await repositories.diff(row.agent, base as string, sha as string))
    if (problem !== null) throw new HiveError('conflict', `approval ${row.id} cannot be approved: ${problem}`)
  }

  #isDecided(row: ApprovalRow): HiveError {
    const note = row.note ? `: ${row.note}` : ''
    return new HiveError('conflict', `approval ${row.id} is ${row.state} already${note}`, {
      hint: `hive show ${row.id}`,
    })
  }

  /** Denies a request; the manager is told the reason. Throws `conflict` when it was decided already. */
  async deny(id: number, reason: string, actor: Actor): Promise<Approval> {
    const { db, store, audit, passes } = this.#options
    await db.write(() => {
      const row = store.get(id)
      if (!store.deny(id, reason, Date.now())) throw this.#isDecided(row)
      audit.add({ actor, verb: 'deny', agent: row.agent, approval: id, detail: { reason } })
    })
    passes('deny.decided')
    await this.#finish(id)
    return this.get(id)
  }

  /** What waits for a decision about an agent that is gone, or in the queue, comes to nothing. Nothing else may be done to it. */
  async failAllOf(agent: string, note: string): Promise<void> {
    const { db, store, audit } = this.#options
    const waiting = store
      .list({ all: false, agent, limit: MAX_OPEN })
      .rows.filter(({ kind }) => kind === 'apply_commit')
    for (const { id } of waiting) {
      await db.write(() => {
        if (store.fail(id, note)) audit.add({ actor: 'system', verb: 'failed', agent, approval: id, detail: { note } })
      })
      await this.#finish(id)
    }
  }

  /** The decision stands; where its tag cannot be set now, the deployer tries again. */
  async #finish(id: number): Promise<void> {
    const { deployer } = this.#options
    try {
      await deployer.finish(id)
    } catch {
      // The deployer says what is wrong, should it fail there too.
      deployer.enqueue(id)
    }
    this.#changed()
  }

  /** At the start: takes up what was decided, and ends what waits for a decision about an agent whose repository is gone. */
  async resume(): Promise<void> {
    const { store, repositories, registry, deployer } = this.#options
    const { rows } = store.list({ all: false, limit: MAX_OPEN })
    const gone = rows.filter(
      ({ kind, agent }) => kind === 'apply_commit' && (!repositories.has(agent) || registry.wasDestroyed(agent)),
    )
    for (const { agent } of gone) await this.failAllOf(agent, `${agent} is gone`)
    deployer.resume()
  }

  /** The log of a deploy after a line, once there is more of it, it has come further in the queue, or it has ended. */
  async followLog(
    id: number,
    after: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ approval: Approval; lines: DeployLine[] }> {
    const { deployLog } = this.#options
    const until = performance.now() + waitMs
    const { position } = this.get(id)
    for (;;) {
      const lines = deployLog.list(id, after)
      const approval = this.get(id)
      const left = until - performance.now()
      const isNews = lines.length > 0 || approval.state !== 'approved' || approval.position !== position
      if (isNews || left <= 0 || signal.aborted) return { approval, lines }
      await deployLog.changes.wait(left, signal)
    }
  }

  /** Deploys that have ended, newest last, and the rows among them that cannot be read. */
  deploys(agent: string | undefined, limit: number): { deploys: DeployRecord[]; errors: Undecodable[] } {
    const { rows, errors } = this.#options.store.deploys(agent, limit)
    const deploys = rows.map((row) => ({
      agent: row.agent,
      approval: row.id,
      sha: row.sha as string,
      tag: row.tag as string,
      state: row.state as 'deployed' | 'failed',
      at: row.endedAt as number,
      tookMs: row.decidedAt === null ? null : (row.endedAt as number) - row.decidedAt,
      note: row.note,
    }))
    return { deploys, errors }
  }

  #changed(): void {
    this.#options.deployLog.changes.notify()
    this.#options.onChange()
  }
}

const notAsShown = ({ id, agent, state }: ApprovalRow): HiveError =>
  new HiveError(
    'conflict',
    state === 'stale'
      ? `approval ${id} is stale: what ${agent} runs with has changed since it was shown`
      : `approval ${id} is not what was shown: what ${agent} runs with, or the commit, is another`,
    { hint: `hive show ${id}` },
  )

import type { Log } from '../../kit/log.ts'
import { errorText, HiveError, isFullDisk } from '../../wire/errors.ts'
import { MANAGER } from '../../wire/names.ts'
import type { Deployments } from '../agents/deployments.ts'
import type { Programs } from '../agents/programs.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Actor, AuditLog } from '../audit-log.ts'
import type { Store } from '../broker/store.ts'
import type { ManagerNews } from '../manager-news.ts'
import type { Kick } from './kick.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Trial } from './trial.ts'

export interface RebuildOptions {
  readonly registry: Pick<AgentRegistry, 'get'>
  readonly store: Pick<Store, 'get' | 'heldIds'>
  readonly deployments: Deployments
  readonly programs: Programs
  readonly lifecycle: Pick<Lifecycle, 'exclusively' | 'whenFree'>
  readonly trial: Trial
  readonly news: Pick<ManagerNews, 'tell'>
  readonly kick: Pick<Kick, 'tell'>
  readonly audit: Pick<AuditLog, 'note'>
  readonly log: Log
}

/** How a rebuild ended. */
interface Course {
  /** Why it came to nothing: the agent is as before. */
  readonly failure?: HiveError
  /** The agent has another life than before. */
  readonly isStartedAgain: boolean
  /** A turn was in progress, and its messages come again. */
  readonly hasInterrupted: boolean
}

/**
 * Puts agents on what is current: the programs of this hive, and their deployed configuration, built again. What is not well
 * with it gets back what it had.
 */
export class Rebuild {
  readonly #options: RebuildOptions
  readonly #closing = new AbortController()

  constructor(options: RebuildOptions) {
    this.#options = options
  }

  /** Ends what goes on where it is; the next start of the daemon puts the agent back on what it had. */
  halt(): void {
    this.#closing.abort()
  }

  /**
   * Because somebody said so: the manager and the agent are told. An agent that is to be stopped is only tried. Throws
   * `conflict` when something else is being done to the agent, and what was wrong when it is not well.
   */
  async rebuild(agent: string, { now, by }: { now: boolean; by: Actor }): Promise<void> {
    const { lifecycle, deployments, news, kick } = this.#options
    await lifecycle.exclusively(agent, 'rebuild', async () => {
      const { failure, isStartedAgain } = await this.#replace(agent, now)
      await this.#note(agent, by, failure)
      const sha = deployments.deployed(agent)?.sha
      const note = failure?.message
      // The manager is told of itself by the kick.
      if (agent !== MANAGER) {
        await news.tell({ event: 'rebuilt', agent, ok: !failure, ...(note && { note }), ...(sha && { sha }) })
      }
      if (isStartedAgain) await kick.tell(agent, reasonOf(`rebuilt by the ${by}`, failure))
      if (failure) throw failure
    })
  }

  /** Without anybody asking: costs no turn, but for an agent whose turn it interrupted. Throws what was wrong. */
  async update(agent: string): Promise<void> {
    const { lifecycle, kick } = this.#options
    await lifecycle.whenFree(agent, 'update', async () => {
      const { failure, hasInterrupted } = await this.#replace(agent, false)
      await this.#note(agent, 'system', failure)
      if (hasInterrupted) await kick.tell(agent, reasonOf('updated to the programs of this hive', failure))
      if (failure) throw failure
    })
  }

  async #note(agent: string, actor: Actor, failure: HiveError | undefined): Promise<void> {
    const { audit, programs } = this.#options
    const revision = programs.of(agent).revision
    await audit.note({
      actor,
      verb: failure ? 'rebuild_failed' : 'rebuild',
      agent,
      detail: { revision, ...(failure && { note: failure.message.split('\n')[0] }) },
    })
  }

  /** Throws `not_found`, and `cancelled` when the daemon ends meanwhile. */
  async #replace(agent: string, now: boolean): Promise<Course> {
    const { registry, deployments, programs, trial } = this.#options
    registry.get(agent)
    const { signal } = this.#closing
    let hasBegun = false
    const turn = await this.#turnOf(agent)
    try {
      const sha = await deployments.prepare(agent)
      const candidate = await deployments.build(agent, sha, () => {}, signal)
      hasBegun = true
      programs.try(agent)
      await trial.begin(agent, candidate, { say: () => {}, onStarted: () => {}, signal, now })
      await deployments.promote(agent, candidate, deployments.deployed(agent)?.approval ?? null)
      await programs.settle(agent)
      await trial.settle(agent)
      return { isStartedAgain: true, hasInterrupted: await turn.wasInterrupted() }
    } catch (error) {
      if (signal.aborted) throw new HiveError('cancelled', 'the hive is stopping')
      const failure = await this.#goBack(agent, error, hasBegun)
      return { failure, isStartedAgain: hasBegun, hasInterrupted: await turn.wasInterrupted() }
    }
  }

  /** Gives what was wrong, in the words for whoever asked. */
  async #goBack(agent: string, error: unknown, hasBegun: boolean): Promise<HiveError> {
    const { programs, trial, log } = this.#options
    const { code } = error instanceof HiveError ? error : { code: 'internal' as const }
    let message = `${agent} is as before: ${errorText(error)}`
    if (hasBegun) {
      programs.endTrial(agent)
      const trouble = await trial.rollBack(agent, this.#closing.signal)
      if (trouble !== null)
        message = `${agent} is not well, also not as it was before (${trouble}): ${errorText(error)}`
    }
    log.error({ agent, error: errorText(error) }, 'an agent could not be rebuilt')
    // A full disk is not the fault of the programs.
    if (programs.isStale(agent) && !isFullDisk(error)) await programs.fail(agent, errorText(error))
    return new HiveError(code, message, { hint: `hive logs ${agent}`, cause: error })
  }

  /** The turn that is in progress now, and what became of it. */
  async #turnOf(agent: string): Promise<{ wasInterrupted: () => Promise<boolean> }> {
    const { store } = this.#options
    const look = async () => Promise.all(ids.map((id) => store.get(id)))
    const ids = store.heldIds(agent)
    const before = await look()
    return {
      wasInterrupted: async () => {
        const after = await look()
        return after.some((message, at) => message?.state === 'queued' || message?.attempt !== before[at]?.attempt)
      },
    }
  }
}

const reasonOf = (what: string, failure: HiveError | undefined): string =>
  failure ? `you could not be ${what}, and run with what you had before` : `you were ${what}`

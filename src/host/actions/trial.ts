import type { Clock } from '../../kit/clock.ts'
import type { Log } from '../../kit/log.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { containerName } from '../../wire/names.ts'
import type { Deployable, Deployments } from '../agents/deployments.ts'
import type { LiveHarness } from '../agents/harness-link.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Supervisor } from '../agents/supervisor.ts'
import type { Broker } from '../broker/broker.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface TrialOptions {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly supervisor: Supervisor
  readonly deployments: Deployments
  readonly runtime: Pick<ContainerRuntime, 'logs'>
  readonly lifecycle: Lifecycle
  readonly configureGateway: (agent?: string) => Promise<void>
  /** A harness that was started with a new configuration has to be well within this time. */
  readonly healthMs: number
  readonly log: Log
  readonly now: Clock
}

/** Who looks on. */
export interface Witness {
  readonly say: (line: string) => void
  /** The agent was started with the candidate. */
  readonly onStarted: () => void
  /** Aborted, nobody waits any longer. */
  readonly signal: AbortSignal
  /** Interrupts the turn in progress instead of letting it end. */
  readonly now?: boolean
}

const LAST_LINES = 15
const MAX_LINE_CHARS = 300

/**
 * Lets an agent run with a configuration that is not deployed yet, to see whether it is well. Meanwhile it gets no mail.
 * Whoever calls keeps other operations on the agent away.
 */
export class Trial {
  readonly #options: TrialOptions

  constructor(options: TrialOptions) {
    this.#options = options
  }

  /**
   * Starts the agent with `candidate` and waits until it is well; makes it if it does not exist. Tells `say` what it does.
   * Throws `unavailable` or `timeout` with what is wrong; the agent then still runs with the candidate, or not at all.
   */
  async begin(agent: string, candidate: Deployable, { say, onStarted, signal, now = false }: Witness): Promise<void> {
    const { registry, broker, supervisor, deployments, lifecycle, configureGateway } = this.#options
    deployments.try(agent, candidate)
    const former = registry.has(agent) ? supervisor.link(agent).live : undefined
    const start = async () => {
      try {
        await lifecycle.bringUp(agent)
        say('started, waiting for its harness')
        onStarted()
        await this.#waitUntilWell(agent, candidate.sha, former, signal)
      } catch (error) {
        throw await this.#withLogs(agent, error)
      }
    }
    if (registry.has(agent)) {
      broker.closeInbox(agent)
      if (supervisor.link(agent).live) say('stopping it, once its turn has ended')
      await supervisor.stop(agent, { now })
      await configureGateway(agent)
      await start()
    } else {
      await lifecycle.create(agent, start)
    }
    say('it is well')
  }

  /** Back to what is deployed. Gives what goes wrong with that; the agent is started again and again then. */
  async rollBack(agent: string, signal: AbortSignal): Promise<string | null> {
    const { registry, supervisor, deployments, lifecycle } = this.#options
    deployments.endTrial(agent)
    const row = registry.find(agent)
    if (!row) return null
    const former = supervisor.link(agent).live
    try {
      await supervisor.stop(agent, { now: true })
      await this.#tellGateway(agent)
      if (row.desired === 'stopped') return null
      await lifecycle.bringUp(agent)
      await this.#waitUntilWell(agent, deployments.get(agent).sha, former, signal)
      return null
    } catch (error) {
      supervisor.keepTrying(agent)
      return errorText(error)
    }
  }

  /** A gateway that is away is told when it is back: it must not keep a rollback from being done. */
  async #tellGateway(agent: string): Promise<void> {
    const { configureGateway, log } = this.#options
    try {
      await configureGateway(agent)
    } catch (error) {
      log.warn(
        { agent, error: errorText(error) },
        'the gateway could not be told what an agent may reach after a rollback',
      )
    }
  }

  /** The candidate is what is deployed now: mail is delivered again, and an agent that is to be stopped is. */
  async settle(agent: string): Promise<void> {
    const { registry, supervisor } = this.#options
    if (registry.find(agent)?.desired === 'stopped') await supervisor.stop(agent, { now: true })
    else supervisor.admitMail(agent)
  }

  /** `former` is the harness that was there before: it does not count. */
  async #waitUntilWell(
    agent: string,
    sha: string,
    former: LiveHarness | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { supervisor, healthMs, now } = this.#options
    const link = supervisor.link(agent)
    const until = now() + healthMs
    for (;;) {
      const live = link.live?.deployment === sha && link.live !== former ? link.live : undefined
      if (live?.ready) return assertWell(live.ready)
      const failure = supervisor.failure(agent)
      if (failure) throw new HiveError('unavailable', `its container ended: ${failure.detail}`)
      if (signal.aborted) throw new HiveError('cancelled', 'the hive is stopping')
      if (now() >= until) {
        const what = live ? 'its engine was not ready' : 'its harness did not say hello'
        throw new HiveError('timeout', `${what} within ${healthMs / 1000} s`)
      }
      await link.changes.wait(until - now(), signal)
    }
  }

  /** What the container wrote last often says why. */
  async #withLogs(agent: string, cause: unknown): Promise<HiveError> {
    const { runtime } = this.#options
    const lines: string[] = []
    try {
      for await (const { text } of runtime.logs(containerName(agent), { tail: LAST_LINES })) {
        lines.push(text.slice(0, MAX_LINE_CHARS))
      }
    } catch {
      // There may be no container yet; what is wrong is said by the cause.
    }
    const { code } = cause instanceof HiveError ? cause : { code: 'internal' as const }
    return new HiveError(code, [errorText(cause), ...lines.slice(-LAST_LINES)].join('\n'), { cause })
  }
}

/** Throws `unavailable` when the engine or a tool server does not work. Without a login it is well: that is the operator's to give. */
function assertWell({ claude, detail, mcp }: NonNullable<LiveHarness['ready']>): void {
  if (claude === 'error') throw new HiveError('unavailable', `its engine does not start: ${detail}`)
  const broken = Object.keys(mcp).filter((name) => mcp[name] === 'error')
  if (broken.length > 0) {
    throw new HiveError('unavailable', `its tool servers do not start: ${broken.join(', ')}${detail && `: ${detail}`}`)
  }
}

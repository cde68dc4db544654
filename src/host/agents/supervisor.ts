import type { Clock } from '../../kit/clock.ts'
import type { Log } from '../../kit/log.ts'
import { START_AFRESH_EXIT_CODE } from '../../wire/agent-ops.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { containerName, MANAGER, MANAGER_CONTAINER } from '../../wire/names.ts'
import type { Broker } from '../broker/broker.ts'
import type { ContainerRuntime, Exit, Incarnation } from '../containers/runtime.ts'
import { type ContainerSettings, specOf } from './container-spec.ts'
import { HarnessLink } from './harness-link.ts'
import type { AgentRegistry, AgentRow } from './registry.ts'
import { decideRestart, type Restart } from './restart-policy.ts'

export interface SupervisorOptions extends ContainerSettings {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly runtime: ContainerRuntime
  /** A harness is taken for dead when it gave no sign for so long. */
  readonly silentMs: number
  readonly log: Log
  readonly now: Clock
}

/** Between the end that a harness chose and the next start, so that a harness which always does costs little. */
const AFRESH_MS = 500
/** How long a turn may go on after its agent was told to stop. */
const STOP_GRACE_MS = 30_000

/** Keeps the containers of agents as they are desired: starts, stops, adopts what runs, starts again what ended unasked. */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions
  readonly #links = new Map<string, HarnessLink>()
  readonly #ends = new Map<string, number[]>()
  readonly #failures = new Map<string, string>()
  /** The life that each agent's container is meant to have: an end of any other is no news. */
  readonly #lives = new Map<string, Incarnation | undefined>()
  readonly #restarts = new Map<string, NodeJS.Timeout>()
  readonly #closing = new AbortController()
  #watching: Promise<void> = Promise.resolve()
  #heartbeats: NodeJS.Timeout | undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** The daemon's end of an agent's harness. */
  link(agent: string): HarnessLink {
    let link = this.#links.get(agent)
    if (!link) {
      link = new HarnessLink(agent, this.#options.now)
      this.#links.set(agent, link)
    }
    return link
  }

  failure(agent: string): string | null {
    return this.#failures.get(agent) ?? null
  }

  /** Adopts what runs, takes back the leases of what does not, and starts what should run. */
  async reconcile(): Promise<void> {
    const { registry, runtime, broker, log } = this.#options
    const containers = new Map((await runtime.list()).map((status) => [status.name, status]))
    this.#watching = this.#watch()
    this.#heartbeats = setInterval(() => this.#checkHeartbeats(), this.#options.silentMs / 6)
    await Promise.all(
      registry.list().map(async (row) => {
        const status = containers.get(containerName(row.name))
        if (status?.state === 'running') {
          log.info({ agent: row.name }, 'adopted a running container')
          this.#lives.set(row.name, status.incarnation)
          if (row.desired === 'stopped') await this.#stopContainer(row.name, { now: false })
          return
        }
        // How it ended is not known when it ended with the machine; then nobody is to blame.
        await broker.reclaim(row.name, {
          charge: status?.exit !== undefined,
          reason: 'the container ended while the daemon was away',
        })
        if (row.desired === 'running') await this.#tryStart(row)
      }),
    )
  }

  /** Resolves when the harness of every agent that should run is connected, or after `timeoutMs`. */
  async waitForHellos(timeoutMs: number): Promise<void> {
    const wanted = this.#options.registry.list().filter(({ desired }) => desired === 'running')
    await Promise.all(wanted.map(({ name }) => this.link(name).waitForHello(timeoutMs, this.#closing.signal)))
  }

  async #tryStart(row: AgentRow): Promise<void> {
    try {
      await this.#startContainer(row)
    } catch (error) {
      this.#failures.set(row.name, errorText(error))
      this.#options.log.error({ agent: row.name, error: errorText(error) }, 'cannot start a container')
    }
  }

  /** Starts an agent and waits for its harness. Throws `timeout` when it did not say hello in time. */
  async start(agent: string, helloTimeoutMs = 60_000): Promise<void> {
    const row = this.#options.registry.get(agent)
    this.#forgetCrashes(agent)
    await this.#startContainer(row)
    if (await this.link(agent).waitForHello(helloTimeoutMs, this.#closing.signal)) return
    throw new HiveError('timeout', `${agent} started, but its harness said nothing for ${helloTimeoutMs / 1000} s`, {
      hint: `hive logs ${agent}`,
    })
  }

  async #startContainer(row: AgentRow): Promise<void> {
    const { runtime, broker } = this.#options
    await runtime.apply(specOf(row, this.#options), { reference: this.#options.app.revision, revision: 'none' })
    const { incarnation } = await runtime.start(containerName(row.name))
    this.#lives.set(row.name, incarnation)
    this.#failures.delete(row.name)
    broker.openInbox(row.name)
  }

  /**
   * Stops an agent: nothing new is delivered, its turn may end, then it is interrupted; `now` skips the wait.
   * What it still held goes back to the queue uncharged.
   */
  async stop(agent: string, { now }: { now: boolean }): Promise<void> {
    this.#forgetCrashes(agent)
    await this.#stopContainer(agent, { now })
  }

  async #stopContainer(agent: string, { now }: { now: boolean }): Promise<void> {
    const { runtime, broker } = this.#options
    this.#lives.delete(agent)
    broker.closeInbox(agent)
    const link = this.link(agent)
    if (link.live) {
      const graceMs = now ? 0 : STOP_GRACE_MS
      link.command({ do: 'stop', graceMs })
      await this.#waitForEnd(agent, graceMs + 5_000)
    }
    await runtime.stop(containerName(agent), { graceMs: 5_000 })
    await broker.reclaim(agent, { charge: false, reason: 'stopped' })
  }

  async #waitForEnd(agent: string, timeoutMs: number): Promise<void> {
    const link = this.link(agent)
    const until = this.#options.now() + timeoutMs
    while (link.live && this.#options.now() < until && !this.#closing.signal.aborted) {
      await link.changes.wait(until - this.#options.now(), this.#closing.signal)
    }
  }

  /** Stops every agent; what is desired stays as it is. */
  async stopAll({ now }: { now: boolean }): Promise<void> {
    await Promise.all(this.#options.registry.names().map((agent) => this.#stopContainer(agent, { now })))
  }

  async remove(agent: string): Promise<void> {
    await this.stop(agent, { now: false })
    await this.#options.runtime.remove(containerName(agent))
    this.#links.delete(agent)
  }

  #forgetCrashes(agent: string): void {
    clearTimeout(this.#restarts.get(agent))
    this.#restarts.delete(agent)
    this.#ends.delete(agent)
    this.#failures.delete(agent)
  }

  async #watch(): Promise<void> {
    const { runtime, log } = this.#options
    try {
      for await (const event of runtime.watch(this.#closing.signal)) {
        const agent = this.#agentOf(event.name)
        if (event.type !== 'exited' || !agent || this.#lives.get(agent) !== event.incarnation) continue
        this.#lives.delete(agent)
        await this.#onEnd(agent, event.exit)
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) log.error({ error: errorText(error) }, 'the watch over containers failed')
    }
  }

  #agentOf(container: string): string | undefined {
    const name = container === MANAGER_CONTAINER ? MANAGER : container.replace(/^h-/, '')
    return this.#options.registry.find(name) ? name : undefined
  }

  /** A container ended and nobody asked for it. */
  async #onEnd(agent: string, exit: Exit | undefined): Promise<void> {
    const { broker, registry, log } = this.#options
    const how = describeExit(exit)
    log.warn({ agent, exit }, 'a container ended unasked')
    await broker.reclaim(agent, { charge: true, reason: `the container ended: ${how}` })
    if (registry.get(agent).desired !== 'running') return
    const restart = this.#decide(agent, exit)
    if (restart === 'give_up') {
      this.#failures.set(
        agent,
        `it ended ${this.#ends.get(agent)?.length} times in a short while, the last time: ${how}`,
      )
      broker.changes.notify()
      return
    }
    const timer = setTimeout(() => {
      const row = registry.find(agent)
      if (row?.desired === 'running') void this.#tryStart(row)
    }, restart.after)
    this.#restarts.set(agent, timer)
  }

  /** An end that the harness chose is no crash: the turn that made it necessary was charged. */
  #decide(agent: string, exit: Exit | undefined): Restart {
    if (exit?.code === START_AFRESH_EXIT_CODE) return { after: AFRESH_MS }
    const { now } = this.#options
    const ends = [...(this.#ends.get(agent) ?? []), now()]
    this.#ends.set(agent, ends)
    return decideRestart(ends, now())
  }

  /** A harness that is connected but silent is killed: its leases return because its container is dead. */
  #checkHeartbeats(): void {
    const { runtime, log, now, silentMs } = this.#options
    for (const [agent, { live }] of this.#links) {
      if (!live || now() - live.seenAt < silentMs) continue
      live.seenAt = now()
      log.error({ agent, silentMs }, 'a harness gave no sign: its container is killed')
      runtime
        .kill(containerName(agent))
        .catch((error: unknown) => log.error({ agent, error: errorText(error) }, 'cannot kill a container'))
    }
  }

  /** Lets go of everything; containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    clearInterval(this.#heartbeats)
    for (const timer of this.#restarts.values()) clearTimeout(timer)
    await this.#watching
  }
}

const describeExit = (exit: Exit | undefined): string => {
  if (!exit) return 'for an unknown reason'
  if (exit.oom) return 'out of memory'
  return exit.signal ? `killed by ${exit.signal}` : `exit code ${exit.code}`
}

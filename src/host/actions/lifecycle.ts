import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../kit/log.ts'
import type { OpServer } from '../../kit/op-server.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import { agentPort, MANAGER } from '../../wire/names.ts'
import type { Operation } from '../../wire/supervision.ts'
import type { CrashNews } from '../agents/crash-news.ts'
import type { Deployments } from '../agents/deployments.ts'
import type { Holds } from '../agents/holds.ts'
import type { Programs } from '../agents/programs.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Supervisor } from '../agents/supervisor.ts'
import type { Actor } from '../audit-log.ts'
import type { Broker } from '../broker/broker.ts'
import type { EventStore } from '../events/event-store.ts'
import { type Layout, makeAgentDirectories } from '../layout.ts'
import type { ManagerNews } from '../manager-news.ts'
import type { Ledger } from '../money/ledger.ts'
import type { AppliedRepositories } from '../repositories/applied-repositories.ts'
import type { MetaRepository } from '../repositories/meta-repository.ts'
import type { Kick } from './kick.ts'

export interface LifecycleOptions {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly supervisor: Supervisor
  readonly holds: Holds
  readonly crashes: Pick<CrashNews, 'beginAfresh'>
  readonly deployments: Pick<Deployments, 'prepare' | 'deployed' | 'forget'>
  readonly programs: Pick<Programs, 'settle'>
  readonly kick: Pick<Kick, 'tell'>
  readonly repositories: Pick<AppliedRepositories, 'has' | 'remove'>
  readonly meta: Pick<MetaRepository, 'record' | 'forget'>
  readonly events: EventStore
  readonly ledger: Pick<Ledger, 'purge'>
  readonly news: ManagerNews
  readonly layout: Layout
  readonly daemonUid: number
  readonly log: Log
  /** Opens the socket of an agent whose directories exist. */
  readonly openSocket: (agent: string) => Promise<OpServer>
  /** Tells the gateway who there is. Throws when it cannot be told, or cannot serve `agent`. */
  readonly configureGateway: (agent?: string) => Promise<void>
  /** There is another repository, or one less. */
  readonly onRepositoriesChanged: () => void
  /** What waits for a decision about a destroyed agent comes to nothing. */
  readonly onDestroyed: (agent: string) => Promise<void>
  /** What is kept of an agent elsewhere goes with it. */
  readonly onPurged: (agent: string) => Promise<void>
}

/** What can be done to an agent as a whole; every surface does it through here. One at a time for each agent. */
export class Lifecycle implements AsyncDisposable {
  readonly #options: LifecycleOptions
  readonly #sockets = new Map<string, OpServer>()
  readonly #busy = new Map<string, Operation & { readonly done: Promise<void> }>()

  constructor(options: LifecycleOptions) {
    this.#options = options
  }

  /**
   * Makes directories and sockets of the agents that exist, and for those that are to run what they run with. One for which
   * that fails is shown as failed; the others go on.
   */
  async openAll(): Promise<void> {
    const { registry, supervisor, deployments, configureGateway } = this.#options
    for (const { name, slot, desired } of registry.list()) {
      try {
        await this.#openSocket(name, slot)
      } catch (error) {
        supervisor.giveUp(name, `its socket cannot be made: ${errorText(error)}`)
        continue
      }
      if (desired === 'stopped') continue
      try {
        await deployments.prepare(name)
        await this.#noteDeployed(name)
      } catch (error) {
        supervisor.giveUp(name, `what it is to run with cannot be made: ${errorText(error)}`)
      }
    }
    await configureGateway()
  }

  /** In the log of deploys there is every agent, also one with its first configuration, or one that came back. */
  async #noteDeployed(name: string): Promise<void> {
    const { deployments, meta } = this.#options
    const deployed = deployments.deployed(name)
    if (!deployed) return
    const { sha, reference: artifact, approval } = deployed
    await meta.record(name, { sha, artifact, approval, tag: `deployed/${approval ?? 0}` })
  }

  async #openSocket(name: string, slot: number): Promise<void> {
    makeAgentDirectories(this.#options.layout, name, slot, this.#options.daemonUid)
    this.#sockets.set(name, await this.#options.openSocket(name))
  }

  async #closeSocket(name: string): Promise<void> {
    await this.#sockets.get(name)?.close()
    this.#sockets.delete(name)
  }

  /** Starts an agent that exists; makes its socket, and what it runs with, where that failed before. */
  async bringUp(name: string): Promise<void> {
    const { registry, supervisor, deployments, crashes, configureGateway } = this.#options
    await deployments.prepare(name)
    await crashes.beginAfresh(name)
    if (!this.#sockets.has(name)) {
      // What runs without one holds on to a directory that may be gone.
      await supervisor.stop(name, { now: true })
      await this.#openSocket(name, registry.get(name).slot)
      await configureGateway(name)
    }
    await supervisor.start(name)
  }

  /**
   * Creates an agent and starts it; gives warnings for the operator. Throws `conflict` when it exists.
   * When it cannot be started, nothing of it stays; when only its harness does not say hello, it does.
   */
  async spawn(name: string): Promise<string[]> {
    return this.exclusively(name, 'spawn', () => this.spawnNow(name))
  }

  /** The same, for whoever keeps other operations on the agent away. */
  async spawnNow(name: string): Promise<string[]> {
    const { registry, supervisor } = this.#options
    await this.create(name, () => this.bringUp(name))
    await this.#noteDeployed(name)
    this.#options.onRepositoriesChanged()
    await supervisor.waitForHello(name)
    const twin = registry.names().find((other) => other !== name && agentPort(other) === agentPort(name))
    return twin
      ? [`port ${agentPort(name)} is taken by ${twin}: ${name} has no port of its own, its page is on the dashboard`]
      : []
  }

  /** Adds an agent and starts it by `start`; when that fails, nothing of it stays but what was there before. */
  async create(name: string, start: () => Promise<void>): Promise<void> {
    const { registry, layout, programs, repositories } = this.#options
    const had = { files: existsSync(layout.agent(name).home), repository: repositories.has(name) }
    await registry.create(name, Date.now())
    try {
      await programs.settle(name)
      await start()
    } catch (error) {
      await this.#undoSpawn(name, had)
      throw error
    }
  }

  async #undoSpawn(name: string, had: { files: boolean; repository: boolean }): Promise<void> {
    try {
      await this.#takeDown(name)
      if (!had.repository) await this.#removeRepository(name)
      if (!had.files) await this.#removeFiles(name)
    } catch (error) {
      // What made the spawn fail is of more use to the operator; the agent is listed and can be destroyed.
      this.#options.log.error({ agent: name, error: errorText(error) }, 'a failed spawn cannot be undone')
    }
  }

  /** Starts an agent and keeps it running. */
  async start(name: string, { by }: { by: Actor }): Promise<void> {
    await this.exclusively(name, 'start', async () => {
      const { registry, broker, supervisor, kick } = this.#options
      const before = broker.store.epoch(name)
      await registry.setDesired(name, 'running')
      await this.bringUp(name)
      await supervisor.waitForHello(name)
      if (broker.store.epoch(name) !== before) await kick.tell(name, `you were started by the ${by}`)
    })
  }

  /** Stops an agent and keeps it stopped. */
  async kill(name: string, { now }: { now: boolean }): Promise<void> {
    await this.exclusively(name, 'kill', async () => {
      const { registry, supervisor, news } = this.#options
      await registry.setDesired(name, 'stopped')
      await supervisor.stop(name, { now })
      if (name !== MANAGER) await news.tell({ event: 'killed', agent: name })
    })
  }

  async restart(name: string, { now, by }: { now: boolean; by: Actor }): Promise<void> {
    await this.exclusively(name, 'restart', async () => {
      const { registry, supervisor, kick } = this.#options
      await registry.setDesired(name, 'running')
      await supervisor.stop(name, { now })
      await this.bringUp(name)
      await supervisor.waitForHello(name)
      await kick.tell(name, `you were restarted by the ${by}`)
    })
  }

  /**
   * Delivers nothing more to an agent until `resume`; its turn may end. With `now` it is interrupted, and its messages come
   * again. Works whatever else is being done to the agent. Throws `not_found`.
   */
  async pause(name: string, { now, reason }: { now: boolean; reason: string }): Promise<void> {
    const { holds, supervisor, broker } = this.#options
    await holds.pause(name, reason)
    supervisor.admitMail(name)
    if (now) supervisor.callBack(name, reason ? `paused: ${reason}` : 'paused', { late: true })
    broker.changes.notify()
  }

  /**
   * Keeps an agent from doing more of what harms the others: it is paused, and when it is so already, stopped, since what runs in
   * its sandbox besides a turn goes on while it is paused.
   */
  async restrain(name: string, reason: string): Promise<void> {
    if (this.#options.registry.get(name).paused) await this.kill(name, { now: true })
    else await this.pause(name, { now: true, reason })
  }

  /** Throws `not_found`. */
  async resume(name: string): Promise<void> {
    const { holds, supervisor, broker } = this.#options
    await holds.resume(name)
    supervisor.forgetCallBack(name)
    supervisor.admitMail(name)
    broker.changes.notify()
  }

  /** Emergency stop: interrupts every turn and delivers nothing to anybody. Gives how many turns there were. */
  async stopAll(reason: string): Promise<number> {
    const { holds, registry, supervisor, broker } = this.#options
    const inTurn = registry.names().filter((name) => broker.store.holds(name)).length
    const stored = holds.stopAll(reason)
    // At once, whether it can be stored or not; and again, for what was being delivered.
    for (const name of registry.names()) supervisor.admitMail(name)
    broker.changes.notify()
    await stored
    for (const name of registry.names()) supervisor.admitMail(name)
    return inTurn
  }

  /** Ends the emergency stop. */
  async resumeAll(): Promise<void> {
    const { holds, registry, supervisor, broker } = this.#options
    await holds.resumeAll()
    for (const name of registry.names()) supervisor.admitMail(name)
    broker.changes.notify()
  }

  /** What is being done to an agent at the moment. */
  operation(name: string): Operation | null {
    const busy = this.#busy.get(name)
    return busy ? { verb: busy.verb, since: busy.since } : null
  }

  /** Removes an agent. Notes and login stay for a revival unless `purge`, which also takes those of one that was destroyed before. */
  async destroy(name: string, { purge }: { purge: boolean }): Promise<void> {
    await this.exclusively(name, 'destroy', async () => {
      const { registry, meta, news, onDestroyed } = this.#options
      // One that was destroyed half way is destroyed to the end.
      if (!registry.wasDestroyed(name)) await this.#takeDown(name)
      const told = `destroyed-${name}:${registry.destroyedAt(name)}`
      await meta.forget(name)
      await onDestroyed(name)
      if (purge) await this.#purge(name)
      await news.tell({ event: 'destroyed', agent: name }, told)
    })
  }

  /** Removes what is left of an agent that was destroyed. Throws `conflict` when it lives. */
  async purge(name: string): Promise<void> {
    await this.exclusively(name, 'purge', async () => {
      if (this.#options.registry.has(name)) {
        throw new HiveError('conflict', `${name} lives`, { hint: `hive destroy ${name}` })
      }
      await this.#purge(name)
      await this.#options.meta.forget(name)
      await this.#options.onDestroyed(name)
    })
  }

  /** Every step may be repeated: what fails half way is done by the next call. */
  async #takeDown(name: string): Promise<void> {
    const { registry, supervisor, layout, configureGateway, log } = this.#options
    registry.get(name)
    await supervisor.remove(name)
    await this.#closeSocket(name)
    await registry.destroy(name)
    const { run, egress } = layout.agent(name)
    await removeAll([run, egress])
    try {
      await configureGateway()
    } catch (error) {
      // It is told again when it is back; the agent is gone either way.
      log.warn({ agent: name, error: errorText(error) }, 'the gateway does not know yet that an agent is gone')
    }
  }

  /** Files go first, which makes room; the row goes last: with it the slot is free, and what were left would belong to whoever gets it. */
  async #purge(name: string): Promise<void> {
    await this.#removeRepository(name)
    await this.#removeFiles(name)
    this.#options.onRepositoriesChanged()
  }

  async #removeRepository(name: string): Promise<void> {
    const { repositories, deployments } = this.#options
    await repositories.remove(name)
    await deployments.forget(name)
  }

  async #removeFiles(name: string): Promise<void> {
    const { registry, broker, events, ledger, layout } = this.#options
    const { home, credentials } = layout.agent(name)
    const log = join(layout.gateway.log, `${name}.jsonl`)
    await removeAll([home, credentials, log, `${log}.1`])
    await events.purge(name)
    await ledger.purge(name)
    await this.#options.onPurged(name)
    await broker.bury(name, `${name} was purged`)
    await registry.purge(name)
  }

  /** Does one thing to an agent at a time. Throws `conflict` when something else is being done to it. */
  async exclusively<T>(agent: string, verb: string, act: () => Promise<T>): Promise<T> {
    const { broker } = this.#options
    const busy = this.#busy.get(agent)
    if (busy) throw new HiveError('conflict', `${agent}: ${busy.verb} is in progress`, { hint: 'wait for it to end' })
    const { promise: done, resolve } = Promise.withResolvers<void>()
    this.#busy.set(agent, { verb, since: Date.now(), done })
    broker.changes.notify()
    try {
      return await act()
    } finally {
      this.#busy.delete(agent)
      resolve()
      broker.changes.notify()
    }
  }

  /** Does it once nothing else is being done to the agent. */
  async whenFree<T>(agent: string, verb: string, act: () => Promise<T>): Promise<T> {
    for (let busy = this.#busy.get(agent); busy; busy = this.#busy.get(agent)) await busy.done
    return this.exclusively(agent, verb, act)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sockets.values()].map((socket) => socket.close()))
  }
}

const removeAll = async (paths: readonly string[]): Promise<void> => {
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })))
}

import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../kit/log.ts'
import type { OpServer } from '../../kit/op-server.ts'
import { errorText, HiveError } from '../../wire/errors.ts'
import type { HelperEvent } from '../../wire/events.ts'
import { agentPort, MANAGER } from '../../wire/names.ts'
import type { AgentRegistry } from '../agents/registry.ts'
import type { Supervisor } from '../agents/supervisor.ts'
import type { Broker } from '../broker/broker.ts'
import type { EventStore } from '../events/event-store.ts'
import { type Layout, makeAgentDirectories } from '../layout.ts'

export interface LifecycleOptions {
  readonly registry: AgentRegistry
  readonly broker: Broker
  readonly supervisor: Supervisor
  readonly events: EventStore
  readonly layout: Layout
  readonly daemonUid: number
  readonly log: Log
  /** Opens the socket of an agent whose directories exist. */
  readonly openSocket: (agent: string) => Promise<OpServer>
  /** Tells the gateway who there is. Throws when it cannot be told, or cannot serve `agent`. */
  readonly configureGateway: (agent?: string) => Promise<void>
}

/** What can be done to an agent as a whole; every surface does it through here. One at a time for each agent. */
export class Lifecycle implements AsyncDisposable {
  readonly #options: LifecycleOptions
  readonly #sockets = new Map<string, OpServer>()
  readonly #busy = new Map<string, string>()

  constructor(options: LifecycleOptions) {
    this.#options = options
  }

  /** Makes directories and sockets of the agents that exist. One for which that fails is shown as failed; the others go on. */
  async openAll(): Promise<void> {
    const { registry, supervisor, configureGateway } = this.#options
    for (const { name, slot } of registry.list()) {
      try {
        await this.#openSocket(name, slot)
      } catch (error) {
        supervisor.giveUp(name, `its socket cannot be made: ${errorText(error)}`)
      }
    }
    await configureGateway()
  }

  async #openSocket(name: string, slot: number): Promise<void> {
    makeAgentDirectories(this.#options.layout, name, slot, this.#options.daemonUid)
    this.#sockets.set(name, await this.#options.openSocket(name))
  }

  async #closeSocket(name: string): Promise<void> {
    await this.#sockets.get(name)?.close()
    this.#sockets.delete(name)
  }

  /** Starts an agent that exists; makes its socket where that failed before. */
  async #start(name: string): Promise<void> {
    const { registry, supervisor, configureGateway } = this.#options
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
    const { registry, supervisor, layout } = this.#options
    return this.#exclusively(name, 'spawn', async () => {
      const hadFiles = existsSync(layout.agent(name).home)
      await registry.create(name, Date.now())
      try {
        await this.#start(name)
      } catch (error) {
        await this.#undoSpawn(name, hadFiles)
        throw error
      }
      await supervisor.waitForHello(name)
      const twin = registry.names().find((other) => other !== name && agentPort(other) === agentPort(name))
      return twin
        ? [`port ${agentPort(name)} is taken by ${twin}: ${name} has no port of its own, its page is on the dashboard`]
        : []
    })
  }

  async #undoSpawn(name: string, hadFiles: boolean): Promise<void> {
    try {
      await this.#takeDown(name)
      if (!hadFiles) await this.#purge(name)
    } catch (error) {
      // What made the spawn fail is of more use to the operator; the agent is listed and can be destroyed.
      this.#options.log.error({ agent: name, error: errorText(error) }, 'a failed spawn cannot be undone')
    }
  }

  /** Starts an agent and keeps it running. */
  async start(name: string): Promise<void> {
    await this.#exclusively(name, 'start', async () => {
      await this.#options.registry.setDesired(name, 'running')
      await this.#start(name)
      await this.#options.supervisor.waitForHello(name)
    })
  }

  /** Stops an agent and keeps it stopped. */
  async kill(name: string, { now }: { now: boolean }): Promise<void> {
    await this.#exclusively(name, 'kill', async () => {
      const { registry, supervisor } = this.#options
      await registry.setDesired(name, 'stopped')
      await supervisor.stop(name, { now })
      if (name !== MANAGER) await this.#tellManager({ event: 'killed', agent: name })
    })
  }

  async restart(name: string, { now }: { now: boolean }): Promise<void> {
    await this.#exclusively(name, 'restart', async () => {
      const { registry, supervisor } = this.#options
      await registry.setDesired(name, 'running')
      await supervisor.stop(name, { now })
      await this.#start(name)
      await supervisor.waitForHello(name)
    })
  }

  /** Removes an agent. Notes and login stay for a revival unless `purge`, which also takes those of one that was destroyed before. */
  async destroy(name: string, { purge }: { purge: boolean }): Promise<void> {
    await this.#exclusively(name, 'destroy', async () => {
      const { registry } = this.#options
      if (!(purge && registry.wasDestroyed(name))) await this.#takeDown(name)
      if (purge) await this.#purge(name)
      await this.#tellManager({ event: 'destroyed', agent: name })
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

  /** The row goes last: with it the slot is free, and what were left would belong to whoever gets it. */
  async #purge(name: string): Promise<void> {
    const { registry, broker, events, layout } = this.#options
    const { home, credentials } = layout.agent(name)
    const log = join(layout.gateway.log, `${name}.jsonl`)
    await removeAll([home, credentials, log, `${log}.1`])
    await events.purge(name)
    await broker.bury(name, `${name} was purged`)
    await registry.purge(name)
  }

  /** What was done is done, also when the manager has no room for the news. */
  async #tellManager(event: HelperEvent): Promise<void> {
    const { registry, broker, log } = this.#options
    if (!registry.find(MANAGER)) return
    try {
      await broker.tell(MANAGER, event)
    } catch (error) {
      log.warn({ event, error: errorText(error) }, 'the manager could not be told')
    }
  }

  async #exclusively<T>(agent: string, verb: string, act: () => Promise<T>): Promise<T> {
    const busy = this.#busy.get(agent)
    if (busy) throw new HiveError('conflict', `${agent}: ${busy} is in progress`, { hint: 'wait for it to end' })
    this.#busy.set(agent, verb)
    try {
      return await act()
    } finally {
      this.#busy.delete(agent)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sockets.values()].map((socket) => socket.close()))
  }
}

const removeAll = async (paths: readonly string[]): Promise<void> => {
  await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })))
}

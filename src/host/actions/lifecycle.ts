import { rm } from 'node:fs/promises'
import type { OpServer } from '../../kit/op-server.ts'
import { HiveError } from '../../wire/errors.ts'
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
  /** Opens the socket of an agent whose directories exist. */
  readonly openSocket: (agent: string) => Promise<OpServer>
  /** Tells the gateway who there is. */
  readonly configureGateway: () => Promise<void>
}

/** What can be done to an agent as a whole; every surface does it through here. One at a time for each agent. */
export class Lifecycle implements AsyncDisposable {
  readonly #options: LifecycleOptions
  readonly #sockets = new Map<string, OpServer>()
  readonly #busy = new Map<string, string>()

  constructor(options: LifecycleOptions) {
    this.#options = options
  }

  /** Makes directories and sockets of the agents that exist. */
  async openAll(): Promise<void> {
    for (const { name, slot } of this.#options.registry.list()) await this.#open(name, slot)
    await this.#options.configureGateway()
  }

  async #open(name: string, slot: number): Promise<void> {
    makeAgentDirectories(this.#options.layout, name, slot, this.#options.daemonUid)
    await this.#sockets.get(name)?.close()
    this.#sockets.set(name, await this.#options.openSocket(name))
  }

  /** Creates an agent and starts it; gives warnings for the operator. Throws `conflict` when it exists. */
  async spawn(name: string): Promise<string[]> {
    const { registry, supervisor, configureGateway } = this.#options
    return this.#exclusively(name, 'spawn', async () => {
      const row = await registry.create(name, Date.now())
      await this.#open(name, row.slot)
      await configureGateway()
      await supervisor.start(name)
      const twin = registry.names().find((other) => other !== name && agentPort(other) === agentPort(name))
      return twin
        ? [`port ${agentPort(name)} is taken by ${twin}: ${name} has no port of its own, its page is on the dashboard`]
        : []
    })
  }

  /** Starts an agent and keeps it running. */
  async start(name: string): Promise<void> {
    await this.#exclusively(name, 'start', async () => {
      await this.#options.registry.setDesired(name, 'running')
      await this.#options.supervisor.start(name)
    })
  }

  /** Stops an agent and keeps it stopped. */
  async kill(name: string, { now }: { now: boolean }): Promise<void> {
    await this.#exclusively(name, 'kill', async () => {
      const { registry, supervisor, broker } = this.#options
      await registry.setDesired(name, 'stopped')
      await supervisor.stop(name, { now })
      if (name !== MANAGER && registry.find(MANAGER)) await broker.tell(MANAGER, { event: 'killed', agent: name })
    })
  }

  async restart(name: string, { now }: { now: boolean }): Promise<void> {
    await this.#exclusively(name, 'restart', async () => {
      const { registry, supervisor } = this.#options
      await registry.setDesired(name, 'running')
      await supervisor.stop(name, { now })
      await supervisor.start(name)
    })
  }

  /** Removes an agent. Notes and login stay for a revival unless `purge`. */
  async destroy(name: string, { purge }: { purge: boolean }): Promise<void> {
    await this.#exclusively(name, 'destroy', async () => {
      const { registry, supervisor, broker, events, layout, configureGateway } = this.#options
      registry.get(name)
      await supervisor.remove(name)
      await this.#sockets.get(name)?.close()
      this.#sockets.delete(name)
      await registry.destroy(name, purge)
      const paths = layout.agent(name)
      await Promise.all([paths.run, paths.egress].map((path) => rm(path, { recursive: true, force: true })))
      if (purge) {
        await broker.bury(name, `${name} was purged`)
        await events.purge(name)
        await Promise.all([paths.home, paths.credentials].map((path) => rm(path, { recursive: true, force: true })))
      }
      await configureGateway()
      if (registry.find(MANAGER)) await broker.tell(MANAGER, { event: 'destroyed', agent: name })
    })
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

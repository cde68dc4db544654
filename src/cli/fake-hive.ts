import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNotifier } from '../kit/notifier.ts'
import { type OpServer, serveOps } from '../kit/op-server.ts'
import { hostSocketPath } from '../kit/settings.ts'
import { HiveError } from '../wire/errors.ts'
import type { StoredEvent } from '../wire/events.ts'
import { hostOps } from '../wire/host-ops.ts'
import { NOTHING_SPENT } from '../wire/money.ts'
import { agentPort, containerName, roleOf } from '../wire/names.ts'
import type { Handlers } from '../wire/op.ts'
import type { Paused } from '../wire/supervision.ts'
import type { Agent, Message, Need } from '../wire/things.ts'
import type { Undecodable } from '../wire/undecodable.ts'
import { FakeApprovals } from './fake-approvals.ts'

/** Unix milliseconds of everything in these tests, and an hour or so later. */
export const SENT_AT = Date.UTC(2026, 10, 21, 14, 3, 22)
export const NOW = SENT_AT + 65_000

export const agentOf = (name: string, more: Partial<Agent> = {}): Agent => ({
  name,
  role: roleOf(name),
  container: containerName(name),
  state: 'idle',
  stateSince: SENT_AT,
  desired: 'running',
  turn: null,
  model: 'haiku',
  sha: null,
  unread: 0,
  port: agentPort(name),
  portTakenBy: null,
  needsUpdate: false,
  parked: null,
  paused: null,
  operation: null,
  account: {
    spent: NOTHING_SPENT,
    budget: {},
    used: null,
    isOverridden: false,
    requests: 0,
    doubt: null,
  },
  detail: null,
  lastTurn: null,
  ...more,
})

export const messageOf = (id: number, more: Partial<Message> = {}): Message => ({
  id,
  from: 'operator',
  to: 'manager',
  body: `body of ${id}`,
  state: 'queued',
  attempt: 0,
  failures: 0,
  sentAt: SENT_AT,
  doneAt: null,
  rootId: id,
  hops: 0,
  replyTo: null,
  error: null,
  ...more,
})

/** A daemon for tests of the command line: it answers on a real socket, from what the test puts into it. */
export class FakeHive implements AsyncDisposable {
  readonly runDir = mkdtempSync(join(tmpdir(), 'hive-cli-'))
  readonly agents = new Map([agentOf('manager'), agentOf('alice')].map((agent) => [agent.name, agent]))
  readonly events: StoredEvent[] = []
  readonly needs: Need[] = []
  readonly errors: Undecodable[] = []
  readonly approvals = new FakeApprovals()
  /** The models that configurations of agents name. */
  readonly configured = new Map<string, string>()
  /** What a test lets it answer beside the rest. */
  readonly also: Partial<Handlers<typeof hostOps>> = {}
  readonly calls: [op: string, input: unknown][] = []
  model: 'demo' | 'real' = 'demo'
  network: 'none' | 'host' = 'none'
  stopped: Paused | null = null
  /** Thrown by every call of an operation. */
  readonly failures = new Map<string, HiveError>()
  /** Waited for by every call of an operation. */
  readonly holds = new Map<string, Promise<void>>()
  readonly #messages = new Map<number, { message: Message; changed: number }>()
  readonly #changes = createNotifier()
  #changed = 0
  #server: OpServer | undefined

  static async open(): Promise<FakeHive> {
    const hive = new FakeHive()
    await hive.start()
    return hive
  }

  /** Serves; after `stop` it is as if the daemon had restarted. */
  async start(): Promise<void> {
    const handlers = this.#handlers()
    const noted = Object.keys(hostOps).map((op) => [
      op,
      async (input: never, call: never) => {
        this.calls.push([op, input])
        await this.holds.get(op)
        const failure = this.failures.get(op)
        if (failure) throw failure
        const handle = { ...handlers, ...this.also }[op as keyof typeof hostOps]
        if (!handle) throw new Error(`this test says nothing about ${op}`)
        return (handle as (input: never, call: never) => unknown)(input, call)
      },
    ])
    this.#server = await serveOps(hostOps, Object.fromEntries(noted) as Handlers<typeof hostOps>, {
      path: hostSocketPath(this.runDir),
    })
  }

  async stop(): Promise<void> {
    await this.#server?.close()
    this.#server = undefined
  }

  /** Stores a message, or what became of it. */
  put(message: Message): void {
    this.#changed += 1
    this.#messages.set(message.id, { message, changed: this.#changed })
    this.#changes.notify()
  }

  putEvent(agent: string, event: StoredEvent['event']): void {
    const seq = this.events.length + 1
    this.events.push({ seq, agent, epoch: 1, n: seq, at: SENT_AT + seq * 1000, event })
    this.#changes.notify()
  }

  /** Forgets everything, as a hive with another state directory would have. */
  wipe(): void {
    this.#messages.clear()
    this.#changed = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.runDir, { recursive: true })
  }

  #agent(name: string): Agent {
    const agent = this.agents.get(name)
    if (!agent) throw new HiveError('not_found', `no agent ${name}`, { hint: 'hive list shows them' })
    return agent
  }

  #message(id: number): Message {
    const found = this.#messages.get(id)
    if (!found) throw new HiveError('not_found', `no message ${id}`)
    return found.message
  }

  /** Waits for a change unless there is something already. */
  async #waitFor<T>(look: () => T[], seconds: number, signal: AbortSignal): Promise<T[]> {
    const found = look()
    if (found.length > 0 || seconds === 0) return found
    await this.#changes.wait(seconds * 1000, signal)
    return look()
  }

  #handlers(): Partial<Handlers<typeof hostOps>> {
    const agentAnswer = ({ agent }: { agent: string }) => ({ agent: this.#agent(agent) })
    const done = ({ agent }: { agent: string }) => {
      this.#agent(agent)
      return {}
    }
    return {
      ...this.approvals.handlers(),
      ping: () => ({ pid: 4242, version: '0.1.0' }),
      status: () => ({
        version: '0.1.0',
        revision: 'abc',
        pid: 4242,
        startedAt: SENT_AT,
        stateDir: '/var/lib/hyperhive',
        runDir: this.runDir,
        runtime: 'bubblewrap',
        model: this.model,
        network: this.network,
        terminal: false,
        slots: { used: 1, total: 4 },
        agents: [...this.agents.values()],
        messages: { queued: 1, leased: 0, done: 2, dead: 0 },
        needs: this.needs.length,
        stopped: this.stopped,
        errors: [],
      }),
      list: () => ({ agents: [...this.agents.values()] }),
      spawn: ({ name }) => {
        if (this.agents.has(name)) throw new HiveError('conflict', `there is an agent ${name} already`)
        const agent = agentOf(name)
        this.agents.set(name, agent)
        return { agent, warnings: ['its port is taken by bob'] }
      },
      start: agentAnswer,
      kill: agentAnswer,
      restart: agentAnswer,
      unpark: agentAnswer,
      destroy: ({ agent }) => {
        this.#agent(agent)
        this.agents.delete(agent)
        return {}
      },
      send: ({ to, body }) => {
        // To every agent: it has two then, whoever else there is.
        const ids = (to === '*' ? ['manager', 'alice'] : [to]).map((recipient) => {
          const id = this.#messages.size + 1
          this.put(messageOf(id, { to: recipient, body }))
          return id
        })
        return { id: ids[0] ?? 0, ids }
      },
      messages: async ({ agent, state, limit, after, wait_seconds }, { signal }) => {
        const isWanted = ({ message: m }: { message: Message }) =>
          (!agent || m.from === agent || m.to === agent) && (!state || m.state === state)
        const look = () =>
          [...this.#messages.values()]
            .filter((row) => isWanted(row) && row.changed > (after ?? 0))
            .sort((a, b) => a.changed - b.changed)
        const found = await this.#waitFor(look, wait_seconds, signal)
        const page = after === undefined ? found.slice(-limit) : found.slice(0, limit)
        const cursor = after === undefined ? this.#changed : (page.at(-1)?.changed ?? after)
        return { messages: page.map(({ message }) => message), cursor, errors: this.errors }
      },
      message: ({ id }) => ({ message: this.#message(id) }),
      events: async ({ agent, after, limit, wait_seconds }, { signal }) => {
        this.#agent(agent)
        const look = () => this.events.filter((event) => event.agent === agent && event.seq > (after ?? 0))
        const found = await this.#waitFor(look, wait_seconds, signal)
        const events = after === undefined ? found.slice(-limit) : found.slice(0, limit)
        return { events, cursor: events.at(-1)?.seq ?? after ?? 0 }
      },
      logs: ({ unit }) => {
        this.#agent(unit)
        return {
          lines: [
            { stream: 'stdout' as const, text: 'started' },
            { stream: 'stderr' as const, text: 'bad \x1b[2Jthing' },
          ],
        }
      },
      cancel: done,
      compact: done,
      new_session: done,
      model: ({ agent, model }) => {
        this.#agent(agent)
        if (model !== undefined && model !== 'default') return { model, source: 'operator' as const }
        const configured = this.configured.get(agent)
        return configured === undefined
          ? { model: 'haiku', source: 'default' as const }
          : { model: configured, source: 'config' as const }
      },
      needs: () => ({ needs: this.needs }),
      requeue: ({ id }) => ({ message: this.#message(id) }),
      drop: ({ id }) => ({ message: this.#message(id) }),
      allow: () => ({}),
      shutdown: () => ({}),
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { connectOps, type OpConnection } from '../kit/op-client.ts'
import { agentOps, type managerOps } from '../wire/agent-ops.ts'
import { HiveError } from '../wire/errors.ts'
import type { Client, Output } from '../wire/op.ts'

type Hello = Output<typeof agentOps.hello>

export interface DaemonLinkOptions {
  readonly socket: string
  /** `managerOps` for the manager. */
  readonly ops: typeof agentOps | typeof managerOps
  readonly revision: string
  readonly signal: AbortSignal
}

const RETRY_MS = { first: 50, longest: 2_000 }

/**
 * The harness's end of its socket. It says hello, and says it again with the same epoch whenever the daemon was away,
 * so that the turn in progress goes on.
 */
export class DaemonLink {
  readonly #options: DaemonLinkOptions
  #connection: Promise<{ connection: OpConnection<typeof agentOps>; hello: Hello }> | undefined
  #epoch: number | undefined
  /** Called at every hello: the first one and those after the daemon was away. */
  onHello: (hello: Hello) => void = () => {}

  constructor(options: DaemonLinkOptions) {
    this.#options = options
  }

  /** Resolves once the daemon answered hello. Throws `conflict` when another harness is connected, `cancelled` at the end. */
  async connected(): Promise<{ call: Client<typeof agentOps>; hello: Hello; closed: Promise<void> }> {
    this.#connection ??= this.#connect()
    const { connection, hello } = await this.#connection
    return { call: connection.call, hello, closed: connection.closed }
  }

  async #connect(): Promise<{ connection: OpConnection<typeof agentOps>; hello: Hello }> {
    const { socket, ops, revision, signal } = this.#options
    for (let waitMs = RETRY_MS.first; ; waitMs = Math.min(waitMs * 2, RETRY_MS.longest)) {
      if (signal.aborted) throw new HiveError('cancelled', 'the harness ends')
      try {
        const connection = (await connectOps(ops, socket)) as OpConnection<typeof agentOps>
        const hello = await connection.call.hello({ revision, epoch: this.#epoch })
        this.#epoch = hello.epoch
        void connection.closed.then(() => {
          this.#connection = undefined
        })
        this.onHello(hello)
        return { connection, hello }
      } catch (error) {
        // Away, or our own former connection has not been noticed as gone: both pass.
        const passes = error instanceof HiveError && (error.code === 'unreachable' || error.code === 'conflict')
        if (!passes) throw error
        await sleep(waitMs)
      }
    }
  }

  /** Makes a call that may be repeated; repeats it when the daemon goes away before it answered. */
  async call<K extends keyof typeof agentOps>(
    op: K,
    input: Parameters<Client<typeof agentOps>[K]>[0],
  ): Promise<Output<(typeof agentOps)[K]>> {
    for (;;) {
      const { call } = await this.connected()
      try {
        return (await call[op](input as never)) as Output<(typeof agentOps)[K]>
      } catch (error) {
        if (!(error instanceof HiveError) || error.code !== 'unreachable') throw error
      }
    }
  }
}

export const opsFor = (role: 'manager' | 'agent', manager: typeof managerOps): typeof agentOps | typeof managerOps =>
  role === 'manager' ? manager : agentOps

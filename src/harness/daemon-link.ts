import { setTimeout as sleep } from 'node:timers/promises'
import { connectOps, type OpConnection } from '../kit/op-client.ts'
import type { agentOps, managerOps } from '../wire/agent-ops.ts'
import { type ErrorCode, HiveError } from '../wire/errors.ts'
import type { Client, Output } from '../wire/op.ts'

export type Hello = Output<typeof agentOps.hello>
type Op = keyof typeof agentOps
type OpInput<K extends Op> = Parameters<Client<typeof agentOps>[K]>[0]
type OpOutput<K extends Op> = Output<(typeof agentOps)[K]>

export interface DaemonLinkOptions {
  readonly socket: string
  /** `managerOps` for the manager. */
  readonly ops: typeof agentOps | typeof managerOps
  readonly revision: string
  /** Commit of the configuration that runs; a container without one has none. */
  readonly deployment?: string
  /** Aborted, nothing is tried again. */
  readonly signal: AbortSignal
  readonly retryMs?: { readonly first: number; readonly longest: number }
}

interface Connected {
  readonly connection: OpConnection<typeof agentOps>
  readonly hello: Hello
}

const RETRY_MS = { first: 50, longest: 2_000 }
/** Refusals that pass: the same call may be taken later. */
const PASSING: readonly ErrorCode[] = [
  'unreachable',
  'disk_full',
  'unavailable',
  'too_many',
  'rate_limited',
  'internal',
]

export const isPassing = (error: unknown): boolean => error instanceof HiveError && PASSING.includes(error.code)
const isAway = (error: unknown): boolean => error instanceof HiveError && error.code === 'unreachable'
/** Our own former connection may not have been noticed as gone. */
const isTaken = (error: unknown): boolean => error instanceof HiveError && error.code === 'conflict'

/**
 * The harness's end of its socket. It says hello, and says it again with the same epoch whenever the daemon was away,
 * so that the turn in progress goes on.
 */
export class DaemonLink {
  readonly #options: DaemonLinkOptions
  #connection: Promise<Connected> | undefined
  #epoch: number | undefined
  /** Called at every hello: the first one and those after the daemon was away. */
  onHello: (hello: Hello) => void = () => {}

  constructor(options: DaemonLinkOptions) {
    this.#options = options
  }

  /** Resolves once the daemon answered hello. Throws what it refuses for good, and `cancelled` at the end. */
  async connected(): Promise<{ call: Client<typeof agentOps>; hello: Hello; closed: Promise<void> }> {
    this.#connection ??= this.#connect()
    const { connection, hello } = await this.#connection
    return { call: connection.call, hello, closed: connection.closed }
  }

  /** Connects; the next caller connects anew when that failed, or when the connection is gone. */
  #connect(): Promise<Connected> {
    const connecting = this.#persist(
      () => this.#sayHello(),
      (error) => isPassing(error) || isTaken(error),
    )
    const forget = (): void => {
      if (this.#connection === connecting) this.#connection = undefined
    }
    connecting.then(({ connection }) => connection.closed.then(forget), forget)
    return connecting
  }

  async #sayHello(): Promise<Connected> {
    const { socket, ops, revision, deployment } = this.#options
    const connection = (await connectOps(ops, socket)) as OpConnection<typeof agentOps>
    try {
      const hello = await connection.call.hello({ revision, deployment, epoch: this.#epoch })
      this.#epoch = hello.epoch
      this.onHello(hello)
      return { connection, hello }
    } catch (error) {
      connection.close()
      throw error
    }
  }

  /**
   * Makes a call that may be repeated; repeats it when the daemon goes away before it answered. What the daemon refuses is thrown,
   * `cancelled` when `signal` aborts.
   */
  call<K extends Op>(op: K, input: OpInput<K>, signal?: AbortSignal): Promise<OpOutput<K>> {
    return this.#persist(() => this.#callOnce(op, input, signal), isAway)
  }

  /** Makes a call that has to be taken in the end, as `call` does, and repeats it also while what keeps the daemon from it may pass. */
  insist<K extends Op>(op: K, input: OpInput<K>): Promise<OpOutput<K>> {
    return this.#persist(() => this.#callOnce(op, input), isPassing)
  }

  async #callOnce<K extends Op>(op: K, input: OpInput<K>, signal?: AbortSignal): Promise<OpOutput<K>> {
    const { call } = await this.connected()
    return (await call[op](input as never, { signal })) as OpOutput<K>
  }

  async #persist<T>(attempt: () => Promise<T>, passes: (error: unknown) => boolean): Promise<T> {
    const { signal, retryMs = RETRY_MS } = this.#options
    for (let waitMs = retryMs.first; ; waitMs = Math.min(waitMs * 2, retryMs.longest)) {
      try {
        return await attempt()
      } catch (error) {
        if (!passes(error)) throw error
        if (signal.aborted) throw new HiveError('cancelled', 'the harness ends', { cause: error })
        await sleep(waitMs)
      }
    }
  }
}

import { createNotifier } from '../../kit/notifier.ts'
import type { Command } from '../../wire/agent-ops.ts'
import { HiveError } from '../../wire/errors.ts'
import type { agentLoginOps, LoginFlow, LoginMethod } from '../../wire/logins.ts'
import type { Input } from '../../wire/op.ts'
import { findUrlProblem } from './login-url.ts'

export interface LoginFlowsOptions {
  /** Has a harness do something. Throws `conflict` when it is offline. */
  readonly command: (agent: string, command: Command) => void
  /** Unix ms. */
  readonly wallNow?: () => number
  /** How long the program may take to show its URL, to check a code, and to end. */
  readonly limitsMs?: { readonly url: number; readonly code: number; readonly end: number }
}

type Report = Input<typeof agentLoginOps.report_login>
type Change = Partial<Omit<LoginFlow, 'version' | 'since'>>

const LIMITS_MS = { url: 30_000, code: 90_000, end: 15_000 }
const NEVER = new AbortController().signal

/**
 * The logins that the operator makes in agents' sandboxes, one at a time for each agent. A flow lives as long as the harness
 * that runs it, and as this daemon. What a harness says of it is its claim: it cannot begin one, nor send the operator anywhere
 * but to the provider.
 */
export class LoginFlows {
  readonly #command: LoginFlowsOptions['command']
  readonly #wallNow: () => number
  readonly #limitsMs: NonNullable<LoginFlowsOptions['limitsMs']>
  readonly #flows = new Map<string, LoginFlow>()
  readonly #methods = new Map<string, LoginMethod>()
  /** Agents that were told to give up a login that nobody wants. */
  readonly #strays = new Set<string>()
  readonly #changes = createNotifier()

  constructor({ command, wallNow = Date.now, limitsMs = LIMITS_MS }: LoginFlowsOptions) {
    this.#command = command
    this.#wallNow = wallNow
    this.#limitsMs = limitsMs
  }

  /** How the login of an agent goes, or went; null: there was none. */
  find(agent: string): LoginFlow | null {
    return this.#flows.get(agent) ?? null
  }

  /**
   * Begins a login, or takes part in the one that waits for its code. Resolves when the URL is known or it failed.
   * Throws `conflict` when the agent is offline, or a login of the other kind goes on, `timeout` when neither comes.
   */
  async start(agent: string, method: LoginMethod, signal: AbortSignal = NEVER): Promise<LoginFlow | null> {
    const before = this.#flows.get(agent)
    if (before && isOpen(before)) {
      const kind = this.#methods.get(agent)
      if (kind !== method) {
        throw new HiveError('conflict', `a login of ${agent} with ${kind} goes on`, {
          hint: `hive login ${agent} --cancel gives it up`,
        })
      }
      if (before.state !== 'starting') return before
    } else {
      this.#strays.delete(agent)
      this.#command(agent, { do: 'login_start', method })
      this.#methods.set(agent, method)
      this.#set(agent, { state: 'starting', url: null, output: '', problem: null, since: this.#wallNow() })
    }
    const started = await this.#until(agent, ({ state }) => state !== 'starting', this.#limitsMs.url, signal)
    if (!started && !signal.aborted) {
      this.#abandon(agent, 'its program showed no URL')
      throw new HiveError('timeout', `the login of ${agent} showed no URL for ${this.#limitsMs.url / 1000} s`, {
        hint: `hive tail ${agent}; hive login ${agent} tries again`,
      })
    }
    return this.find(agent)
  }

  /**
   * Hands a code over. Resolves when the login ended, or when the code was refused: it waits for another then, with `problem`.
   * Throws `conflict` when no code is waited for, `timeout` when nothing comes of it.
   */
  async code(agent: string, code: string, signal: AbortSignal = NEVER): Promise<LoginFlow | null> {
    const flow = this.#flows.get(agent)
    if (flow?.state !== 'waiting') {
      const how = flow ? `it is ${flow.state}` : 'none was begun'
      throw new HiveError('conflict', `no login of ${agent} waits for a code: ${how}`, {
        hint: `hive login ${agent} begins one`,
      })
    }
    this.#command(agent, { do: 'login_code', code })
    this.#change(agent, { state: 'checking', problem: null })
    const isSettled = (now: LoginFlow) => !isOpen(now) || (now.state === 'waiting' && now.problem !== null)
    const settled = await this.#until(agent, isSettled, this.#limitsMs.code, signal)
    if (!settled && !signal.aborted) {
      throw new HiveError('timeout', `nothing came of the code for ${this.#limitsMs.code / 1000} s`, {
        hint: `hive login ${agent} --cancel, then try again`,
      })
    }
    return this.find(agent)
  }

  /** Gives a login up; resolves when its program is gone, or does not say so. Harmless when there is none. */
  async cancel(agent: string): Promise<LoginFlow | null> {
    const flow = this.#flows.get(agent)
    if (!flow || !isOpen(flow)) return flow ?? null
    this.#command(agent, { do: 'login_cancel' })
    const ended = await this.#until(agent, (now) => !isOpen(now), this.#limitsMs.end, NEVER)
    if (!ended) this.#change(agent, { state: 'cancelled', url: null, problem: 'its program may still run' })
    return this.find(agent)
  }

  /** The flow once it is newer than `after`, or as it is after `waitMs`. */
  async follow(
    agent: string,
    after: number | undefined,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<LoginFlow | null> {
    const isNewer = (flow: LoginFlow) => after === undefined || flow.version > after
    await this.#until(agent, isNewer, waitMs, signal)
    return this.find(agent)
  }

  /** Takes what a harness says of its login. */
  report(agent: string, { state, url, output, problem }: Report): void {
    const flow = this.#flows.get(agent)
    if (!flow || !isOpen(flow)) {
      // Nobody asked for it, or nobody waits for it any more.
      if (isOpen({ state }) && !this.#strays.has(agent)) {
        this.#strays.add(agent)
        this.#command(agent, { do: 'login_cancel' })
      }
      return
    }
    const words = { output: withoutLinks(output), problem: problem === null ? null : withoutLinks(problem) }
    const wrong = url === null ? undefined : findUrlProblem(url)
    if (wrong !== undefined) {
      this.#abandon(agent, `the agent named a page to log in on that cannot be trusted: ${wrong}`)
      return
    }
    this.#change(agent, { state, url: isOpen({ state }) ? url : null, ...words })
  }

  /** The agent is no more. */
  forget(agent: string): void {
    this.#strays.delete(agent)
    this.#flows.delete(agent)
    this.#methods.delete(agent)
  }

  /** The harness that made the login is no more. */
  endedWithHarness(agent: string): void {
    this.#strays.delete(agent)
    const flow = this.#flows.get(agent)
    if (flow && isOpen(flow))
      this.#change(agent, { state: 'failed', url: null, problem: 'the agent was started again' })
  }

  /** Ends a flow as failed, whatever its program does. */
  #abandon(agent: string, problem: string): void {
    this.#change(agent, { state: 'failed', url: null, problem })
    try {
      this.#command(agent, { do: 'login_cancel' })
    } catch (error) {
      // Offline: its program is gone with it.
      if (!(error instanceof HiveError) || error.code !== 'conflict') throw error
    }
  }

  #change(agent: string, change: Change): void {
    const flow = this.#flows.get(agent)
    if (flow) this.#set(agent, { ...flow, ...change })
  }

  #set(agent: string, flow: Omit<LoginFlow, 'version'>): void {
    // Larger also than those of a daemon before this one, which a reader may still have.
    const version = Math.max(this.#wallNow(), (this.#flows.get(agent)?.version ?? 0) + 1)
    this.#flows.set(agent, { ...flow, version })
    this.#changes.notify()
  }

  /** Resolves with whether the flow of an agent came to `holds` in time. */
  async #until(
    agent: string,
    holds: (flow: LoginFlow) => boolean,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const until = performance.now() + waitMs
    for (;;) {
      const flow = this.#flows.get(agent)
      if (flow && holds(flow)) return true
      const left = until - performance.now()
      if (left <= 0 || signal.aborted) return false
      await this.#changes.wait(left, signal)
    }
  }
}

const isOpen = ({ state }: Pick<LoginFlow, 'state'>): boolean =>
  state === 'starting' || state === 'waiting' || state === 'checking'

/** The one page that the operator may open is in `url`. */
const withoutLinks = (text: string): string =>
  text.replace(
    /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,31}:\/\/\S+|(?<![\w.-])[\w-]{1,63}(\.[\w-]{1,63}){1,8}\/\S*/gi,
    '[link]',
  )

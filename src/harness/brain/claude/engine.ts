import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { HIVE_TOOL_SERVER } from '../../../wire/agent-config.ts'
import { errorText, HiveError } from '../../../wire/errors.ts'
import { type ClaudeProcess, type ProcessExit, type StreamMessage, startClaude } from './claude-process.ts'
import { type Control, createControl } from './control.ts'
import { type Delta, readDelta } from './delta.ts'
import { answerRequest } from './engine-requests.ts'
import { createMcpResponder, type McpResponder, type ToolServer } from './mcp-responder.ts'
import { press } from './press.ts'
import { findServerProblems } from './server-problems.ts'
import { hasEnded, observe, type StopCause, type TurnFacts } from './turn-facts.ts'
import { describeExit } from './turn-outcome.ts'

export interface EngineOptions {
  readonly path: string
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly session: { readonly id: string; readonly resume: boolean }
  readonly toolServer: ToolServer
  /** Tool servers that it starts itself. */
  readonly servers: readonly string[]
  /** Milliseconds that one of them may take to start. */
  readonly serverStartMs: number
  /** A turn without any sign for so long has hung. */
  readonly hangMs: number
  /** How long each step to stop it may take. */
  readonly patienceMs: number
  readonly onMessage: (message: StreamMessage) => void
  readonly onDelta: (delta: Delta) => void
  readonly onWarning: (text: string) => void
}

/** What came of one user message. */
export interface Conversation {
  readonly facts: TurnFacts
  /** The process is gone. */
  readonly exit?: ProcessExit
  /** Dollars that the whole conversation had cost before; undefined when that could not be learnt. */
  readonly costBefore: number | undefined
}

interface Turn {
  readonly facts: TurnFacts
  readonly idle: PromiseWithResolvers<void>
  /** Resolves when the engine is idle again or gone. */
  readonly over: Promise<ProcessExit | undefined>
  readonly watchdog: NodeJS.Timeout
}

const START_MS = 30_000
const Hello = z.looseObject({
  account: z.looseObject({
    tokenSource: z.string().optional(),
    apiKeySource: z.string().optional(),
    subscriptionType: z.string().optional(),
    apiProvider: z.string().optional(),
  }),
})
export type Account = z.infer<typeof Hello>['account']
const Usage = z.looseObject({ session: z.looseObject({ total_cost_usd: z.number() }) })

/** One process of the Claude Code CLI: started, given one message at a time, ended. */
export class Engine {
  readonly exited: Promise<ProcessExit>
  readonly #options: EngineOptions
  readonly #process: ClaudeProcess
  readonly #control: Control
  readonly #mcp: McpResponder
  #account: Account = {}
  /** Dollars of the conversation so far: a resumed one goes on from what its earlier processes cost. */
  #cost: Promise<number | undefined> = Promise.resolve(0)
  #turn: Turn | undefined

  /** Starts it and waits until it answers. Throws `unavailable` with its complaint when it does not. Aborted, it is killed. */
  static async start(options: EngineOptions, signal: AbortSignal): Promise<Engine> {
    signal.throwIfAborted()
    const engine = new Engine(options)
    const kill = (): void => engine.#process.kill('SIGKILL')
    signal.addEventListener('abort', kill)
    try {
      const hello = await engine.#control.request(
        { subtype: 'initialize', sdkMcpServers: [HIVE_TOOL_SERVER] },
        START_MS,
      )
      engine.#account = Hello.parse(hello).account
      if (options.session.resume) engine.#cost = engine.#askCost()
      return engine
    } catch (cause) {
      kill()
      await engine.exited
      throw new HiveError('unavailable', errorText(cause), { cause })
    } finally {
      signal.removeEventListener('abort', kill)
    }
  }

  private constructor(options: EngineOptions) {
    this.#options = options
    this.#process = startClaude({
      ...options,
      onMessage: (message) => this.#take(message),
      onNoise: options.onWarning,
    })
    this.#control = createControl((message) => this.#process.send(message))
    this.#mcp = createMcpResponder(options.toolServer)
    this.exited = this.#process.exited.then((exit) => {
      this.#control.failAll(describeExit(exit))
      this.#mcp.abortAll()
      return exit
    })
  }

  get sessionId(): string {
    return this.#options.session.id
  }

  /** What it said of its login when it started. */
  get account(): Account {
    return this.#account
  }

  /** Whether it has taken our tools; it does so by itself, soon after the start. */
  hasTools(): Promise<boolean> {
    return Promise.race([
      this.#mcp.listed.then(() => true),
      this.exited.then(() => false),
      sleep(this.#options.patienceMs, false, { ref: false }),
    ])
  }

  /** Waits until the tool servers that it starts itself have started or failed. Gives what is wrong with each. Throws when it does not say. */
  serverProblems(signal?: AbortSignal): Promise<Map<string, string | undefined>> {
    const { servers, serverStartMs, patienceMs } = this.#options
    return findServerProblems({
      names: servers,
      ask: () => this.#control.request({ subtype: 'mcp_status' }, patienceMs),
      // The engine counts from when it started one, and says what it waited for.
      limitMs: serverStartMs + patienceMs,
      signal,
    })
  }

  /** Hands it one user message and waits until it is idle again, or gone. Aborted, it is interrupted. Never rejects. */
  async converse(text: string, signal: AbortSignal): Promise<Conversation> {
    const turn = this.#beginTurn()
    const interrupt = (): void => void this.#stop(turn, 'interrupted')
    signal.addEventListener('abort', interrupt)
    // With an id it can be taken back while it waits for its turn.
    const message = { role: 'user', content: [{ type: 'text', text }] }
    this.#process.send({ type: 'user', uuid: randomUUID(), message })
    const exit = await turn.over
    signal.removeEventListener('abort', interrupt)
    clearTimeout(turn.watchdog)
    this.#turn = undefined
    const costBefore = await this.#cost
    this.#cost = Promise.resolve(turn.facts.result?.total_cost_usd ?? costBefore)
    return { facts: turn.facts, exit, costBefore }
  }

  /** Takes effect with the next request. Throws when it refuses. */
  async setModel(model: string): Promise<void> {
    await this.#control.request({ subtype: 'set_model', model }, this.#options.patienceMs)
  }

  /** Ends the process between turns and waits for that. */
  async end(): Promise<void> {
    const leave = (): void => {
      this.#ask('end_session')
      this.#process.endInput()
    }
    await press(this.exited, [leave, this.#signal('SIGINT'), this.#signal('SIGKILL')], this.#options.patienceMs)
    await this.exited
  }

  #beginTurn(): Turn {
    const idle = Promise.withResolvers<void>()
    const over = Promise.race([idle.promise.then(() => undefined), this.exited])
    const watchdog = setTimeout(() => {
      // A call of ours that has not been answered is no fault of the engine's.
      if (this.#mcp.pending > 0) watchdog.refresh()
      else void this.#stop(turn, 'hang')
    }, this.#options.hangMs)
    const turn: Turn = { facts: {}, idle, over, watchdog }
    this.#turn = turn
    return turn
  }

  /** Ends a turn before its time, by force if it must be. */
  async #stop(turn: Turn, cause: StopCause): Promise<void> {
    if (turn.facts.stopped) return
    turn.facts.stopped = cause
    clearTimeout(turn.watchdog)
    const interrupt = (): void => this.#ask('interrupt', { cancel_queued: true })
    const leave = (): void => this.#ask('end_session')
    const steps = [interrupt, leave, this.#signal('SIGINT'), this.#signal('SIGKILL')]
    await press(turn.over, steps, this.#options.patienceMs)
  }

  /** Asks for something whose effect is seen elsewhere. */
  #ask(subtype: string, more: Record<string, unknown> = {}): void {
    this.#control.request({ subtype, ...more }, this.#options.patienceMs).catch(() => {})
  }

  #signal(signal: NodeJS.Signals): () => void {
    return () => this.#process.kill(signal)
  }

  async #askCost(): Promise<number | undefined> {
    try {
      const request = { subtype: 'get_usage', skip_behaviors: true }
      return Usage.parse(await this.#control.request(request, this.#options.patienceMs)).session.total_cost_usd
    } catch (error) {
      this.#options.onWarning(`what the conversation cost so far is not known: ${errorText(error)}`)
      return undefined
    }
  }

  #take(message: StreamMessage): void {
    const complain = (error: unknown): void =>
      this.#options.onWarning(`claude sent what cannot be read (${String(message.type)}): ${errorText(error)}`)
    try {
      if (message.type === 'control_request') answerRequest(message, this.#control, this.#mcp).catch(complain)
      else this.#route(message)
    } catch (error) {
      complain(error)
    }
    // A sign of life; a turn that is being stopped is beyond that.
    if (this.#turn && !this.#turn.facts.stopped && message.type !== 'keep_alive') this.#turn.watchdog.refresh()
  }

  #route(message: StreamMessage): void {
    if (message.type === 'control_response') this.#control.settle(message)
    else if (message.type === 'stream_event') {
      const delta = readDelta(message)
      if (delta) this.#options.onDelta(delta)
    } else if (message.type !== 'control_cancel_request' && message.type !== 'keep_alive') {
      this.#options.onMessage(message)
      if (this.#turn) this.#follow(this.#turn, message)
    }
  }

  #follow(turn: Turn, message: StreamMessage): void {
    observe(turn.facts, message)
    if (turn.facts.authRefused && !turn.facts.result) void this.#stop(turn, 'auth')
    const isIdle = message.subtype === 'session_state_changed' && message.state === 'idle'
    if (isIdle && hasEnded(turn.facts)) turn.idle.resolve()
  }
}

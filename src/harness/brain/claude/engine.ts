import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { HIVE_TOOL_SERVER } from '../../../wire/agent-config.ts'
import { errorText, HiveError } from '../../../wire/errors.ts'
import type { TurnUsage } from '../../../wire/turn.ts'
import { type ClaudeProcess, type ProcessExit, type StreamMessage, startClaude } from './claude-process.ts'
import { type Control, createControl } from './control.ts'
import { type Delta, readStreamEvent } from './delta.ts'
import { answerRequest } from './engine-requests.ts'
import { createMcpResponder, type McpResponder, type ToolServer } from './mcp-responder.ts'
import { measureTurn, type Reading, readResult, readUsage, ZERO } from './meter.ts'
import { type AskPermission, createPermissionRequests, type PermissionRequests } from './permission-requests.ts'
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
  readonly askPermission: AskPermission
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
  /** The turn in progress has used more. */
  readonly onUsage: () => void
  readonly onWarning: (text: string) => void
}

/** What came of one user message. */
export interface Conversation {
  readonly facts: TurnFacts
  /** The process is gone. */
  readonly exit?: ProcessExit
  /** What it used, compactions and helpers of the engine included; undefined when the engine went before it told anything. */
  readonly usage: TurnUsage | undefined
}

interface Turn {
  readonly facts: TurnFacts
  /** `performance.now()` when it began. */
  readonly beganAt: number
  /** The meter when it was read last. */
  reading?: Reading
  /** When the meter was read last, or is to be read. */
  readAt: number
  reader?: NodeJS.Timeout
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
/** Between two looks at what a turn has used so far. */
const READ_EVERY_MS = 1_000

/** One process of the Claude Code CLI: started, given one message at a time, ended. */
export class Engine {
  readonly exited: Promise<ProcessExit>
  readonly #options: EngineOptions
  readonly #process: ClaudeProcess
  readonly #control: Control
  readonly #mcp: McpResponder
  readonly #permissions: PermissionRequests
  #account: Account = {}
  /** What the conversation had used when the turn in progress, or the next, began: a resumed one goes on from what its earlier processes used. */
  #before: Promise<Reading | undefined> = Promise.resolve(ZERO)
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
      if (options.session.resume) engine.#before = engine.#askBefore()
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
    this.#permissions = createPermissionRequests(options.askPermission)
    this.exited = this.#process.exited.then((exit) => {
      this.#control.failAll(describeExit(exit))
      this.#mcp.abortAll()
      this.#permissions.abortAll()
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
    clearTimeout(turn.reader)
    this.#turn = undefined
    const { facts } = turn
    if (facts.result) turn.reading = readResult(facts.result)
    const before = await this.#before
    const usage = measureTurn(turn, before)
    this.#before = Promise.resolve(turn.reading ?? before)
    return { facts, exit, usage }
  }

  /** What the turn in progress has used so far, as far as that is known. */
  async used(): Promise<TurnUsage | undefined> {
    const before = await this.#before
    return this.#turn && measureTurn(this.#turn, before)
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
      // What we have not answered is no fault of the engine's.
      if (this.#mcp.pending > 0 || this.#permissions.pending > 0) watchdog.refresh()
      else void this.#stop(turn, 'hang')
    }, this.#options.hangMs)
    const turn: Turn = { facts: {}, beganAt: performance.now(), readAt: 0, idle, over, watchdog }
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

  async #askBefore(): Promise<Reading | undefined> {
    try {
      return await this.#readMeter()
    } catch (error) {
      this.#options.onWarning(`what the conversation used so far is not known: ${errorText(error)}`)
      return undefined
    }
  }

  /** Asks what the conversation has used so far; the engine answers within milliseconds and asks nobody else. */
  async #readMeter(): Promise<Reading> {
    return readUsage(
      await this.#control.request({ subtype: 'get_usage', skip_behaviors: true }, this.#options.patienceMs),
    )
  }

  /** Reads the meter soon, at most once a second. */
  #readSoon(turn: Turn): void {
    if (turn.reader || turn.facts.result) return
    const now = performance.now()
    const waitMs = Math.max(0, turn.readAt + READ_EVERY_MS - now)
    turn.readAt = now + waitMs
    turn.reader = setTimeout(() => void this.#readNow(turn), waitMs).unref()
  }

  async #readNow(turn: Turn): Promise<void> {
    try {
      const reading = await this.#readMeter()
      if (turn.facts.result) return
      turn.reading = reading
      this.#options.onUsage()
    } catch {
      // The engine has gone, or is being stopped: how its turn ended tells. The next answer of the model is another chance.
    } finally {
      turn.reader = undefined
    }
  }

  #take(message: StreamMessage): void {
    const complain = (error: unknown): void =>
      this.#options.onWarning(`claude sent what cannot be read (${String(message.type)}): ${errorText(error)}`)
    try {
      if (message.type === 'control_request') this.#answer(message).catch(complain)
      else this.#route(message)
    } catch (error) {
      complain(error)
    }
    // A sign of life; a turn that is being stopped is beyond that.
    if (this.#turn && !this.#turn.facts.stopped && message.type !== 'keep_alive') this.#turn.watchdog.refresh()
  }

  #answer(message: StreamMessage): Promise<void> {
    return answerRequest(message, { control: this.#control, mcp: this.#mcp, permissions: this.#permissions })
  }

  #route(message: StreamMessage): void {
    if (message.type === 'control_response') this.#control.settle(message)
    else if (message.type === 'control_cancel_request') this.#permissions.cancel(message)
    else if (message.type === 'stream_event') {
      const { delta, isEnd } = readStreamEvent(message)
      if (isEnd && this.#turn) this.#readSoon(this.#turn)
      if (delta) this.#options.onDelta(delta)
    } else if (message.type !== 'keep_alive') {
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

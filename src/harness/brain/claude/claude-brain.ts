import { setTimeout as sleep } from 'node:timers/promises'
import { errorText } from '../../../wire/errors.ts'
import type { LiveEvent } from '../../../wire/events.ts'
import type { TurnEnd } from '../../../wire/turn.ts'
import type { Brain, BrainCheck } from '../brain.ts'
import { claudeArgv, claudeEnv, TOOL_SERVER } from './argv.ts'
import { type ClaudeProcess, type ProcessExit, type StreamMessage, startClaude } from './claude-process.ts'
import { createControl } from './control.ts'
import { createMcpResponder, type ToolServer } from './mcp-responder.ts'
import { createSession } from './session.ts'
import { decideTurnEnd, observe, type TurnFacts } from './turn-outcome.ts'

export interface ClaudeBrainOptions {
  readonly claudePath: string
  /** Stable: the conversation is filed under it. */
  readonly cwd: string
  readonly configDir: string
  readonly tmpDir: string
  readonly env: Readonly<Record<string, string>>
  readonly model: string
  readonly systemPromptFile: string
  readonly tools: readonly string[]
  readonly allowedTools: readonly string[]
  readonly sessionFile: string
  /** How long an idle process stays up; 0: one process per turn. */
  readonly keepWarmMs: number
  /** A turn without any sign for so long has hung. */
  readonly hangMs: number
  readonly toolServer: ToolServer
  readonly onEvent: (event: LiveEvent) => void
}

/** A running engine and the turn that it is on. */
interface Running {
  readonly process: ClaudeProcess
  readonly control: ReturnType<typeof createControl>
  /** What `initialize` said of the login. */
  readonly account: Record<string, unknown>
  /** What the process has cost so far. */
  costUsd: number
  turn?: { facts: TurnFacts; idle: PromiseWithResolvers<void>; lastSignAt: number }
}

const INITIALIZE_TIMEOUT_MS = 30_000
const PATIENCE_MS = 5_000
const LOST_SESSION = /No conversation found/

/** Drives the Claude Code CLI: one warm process that takes turn after turn, or (`keepWarmMs: 0`) a process for each. */
export function openClaudeBrain(options: ClaudeBrainOptions): Brain {
  const { onEvent, keepWarmMs, hangMs } = options
  const session = createSession(options.sessionFile, options.configDir, options.cwd)
  const mcp = createMcpResponder(options.toolServer)
  let model = options.model
  let starting: Promise<Running> | undefined
  let running: Running | undefined
  let state: Brain['state'] = 'asleep'
  let idleTimer: NodeJS.Timeout | undefined
  const note = (level: 'info' | 'warn' | 'error', text: string) => onEvent({ kind: 'note', level, text })

  const onMessage = (engine: () => Running | undefined, message: StreamMessage): void => {
    const turn = engine()?.turn
    if (turn) turn.lastSignAt = performance.now()
    if (message.type === 'control_response') return void engineControl(engine)?.settle(message)
    if (message.type === 'control_request') return void answerEngine(engine, message)
    if (message.type === 'stream_event' || message.type === 'keep_alive') return
    if (typeof message.session_id === 'string' && message.type === 'result') session.adopt(message.session_id)
    if (turn) {
      observe(turn.facts, message)
      // The engine would retry for minutes with a login that is refused.
      if (turn.facts.authRefused && !turn.facts.result) void interrupt()
      if (message.type === 'system' && message.subtype === 'session_state_changed' && message.state === 'idle') {
        if (turn.facts.result) turn.idle.resolve()
      }
    }
    onEvent({ kind: 'stream', value: message })
  }
  const controls = new WeakMap<() => Running | undefined, ReturnType<typeof createControl>>()
  const engineControl = (engine: () => Running | undefined) => engine()?.control ?? controls.get(engine)

  const answerEngine = async (engine: () => Running | undefined, message: StreamMessage): Promise<void> => {
    const request = message.request as { subtype?: string; message?: unknown; tool_name?: string } | undefined
    const control = engineControl(engine)
    const id = String(message.request_id)
    if (request?.subtype === 'mcp_message') {
      const answer = await mcp.answer(request.message)
      control?.answer(id, { mcp_response: answer ?? { jsonrpc: '2.0', result: {}, id: 0 } })
    } else if (request?.subtype === 'can_use_tool') {
      const reason = `${request.tool_name} is not allowed to this agent; only its configuration can change that`
      control?.answer(id, { behavior: 'deny', message: reason })
    } else {
      control?.refuse(id, `${request?.subtype} is not supported`)
    }
  }

  const start = async (): Promise<Running> => {
    let engine: Running | undefined
    const self = () => engine
    const process = startClaude({
      path: options.claudePath,
      argv: claudeArgv({ ...options, model, session: session.current() }),
      cwd: options.cwd,
      env: claudeEnv(options.env, options),
      onMessage: (message) => onMessage(self, message),
      onNoise: (line) => note('warn', line),
    })
    const control = createControl((message) => process.send(message))
    controls.set(self, control)
    void process.exited.then((exit) => {
      control.failAll(`the engine ended (${exit.signal ?? exit.code})`)
      if (running !== undefined && running === engine) {
        running = undefined
        starting = undefined
        state = 'asleep'
      }
    })
    const hello = await control
      .request({ subtype: 'initialize', sdkMcpServers: [TOOL_SERVER] }, INITIALIZE_TIMEOUT_MS)
      .catch(async (error) => {
        process.kill('SIGKILL')
        const { complaint } = await process.exited
        throw new Error(complaint || errorText(error))
      })
    const account = ((hello as { account?: unknown }).account ?? {}) as Record<string, unknown>
    engine = { process, control, account, costUsd: 0 }
    return engine
  }

  const ensureRunning = async (): Promise<Running> => {
    clearTimeout(idleTimer)
    if (running) return running
    starting ??= start()
    try {
      running = await starting
      return running
    } finally {
      starting = undefined
    }
  }

  /** Hands one user message to the engine and waits until it is idle again, or gone. */
  const converse = async (text: string): Promise<{ facts: TurnFacts; exit?: ProcessExit; costBefore: number }> => {
    const engine = await ensureRunning()
    const turn = { facts: {} as TurnFacts, idle: Promise.withResolvers<void>(), lastSignAt: performance.now() }
    engine.turn = turn
    const costBefore = engine.costUsd
    engine.process.send({ type: 'user', message: { role: 'user', content: [{ type: 'text', text }] } })
    const watchdog = setInterval(
      () => {
        // A tool of ours that waits is a sign of life.
        if (mcp.pending > 0) turn.lastSignAt = performance.now()
        if (performance.now() - turn.lastSignAt < hangMs || turn.facts.hung) return
        turn.facts.hung = true
        void putDown(engine)
      },
      Math.min(1_000, hangMs / 2),
    )
    const first = await Promise.race([turn.idle.promise.then(() => undefined), engine.process.exited])
    clearInterval(watchdog)
    // What was put down may say that it is idle on its way out.
    const exit = turn.facts.hung ? await engine.process.exited : first
    engine.turn = undefined
    engine.costUsd = turn.facts.result?.total_cost_usd ?? engine.costUsd
    if (!exit && keepWarmMs === 0) {
      engine.process.endInput()
      await engine.process.exited
    } else if (!exit) {
      idleTimer = setTimeout(() => void close(), keepWarmMs)
      idleTimer.unref()
    }
    return { facts: turn.facts, exit, costBefore }
  }

  /** Ends an engine that does not answer, each step harder than the one before. */
  const putDown = async ({ process, control }: Running): Promise<void> => {
    const gone = process.exited.then(() => true)
    const isGone = () => Promise.race([gone, sleep(PATIENCE_MS, false, { ref: false })])
    control.request({ subtype: 'interrupt' }, PATIENCE_MS).catch(() => {})
    control.request({ subtype: 'end_session' }, PATIENCE_MS).catch(() => {})
    if (await isGone()) return
    process.kill('SIGINT')
    if (await isGone()) return
    process.kill('SIGKILL')
    await gone
  }

  const interrupt = async (): Promise<void> => {
    if (!running?.turn) return
    running.turn.facts.interrupted = true
    mcp.abortAll()
    await running.control
      .request({ subtype: 'interrupt' }, PATIENCE_MS)
      .catch((error: unknown) => note('warn', errorText(error)))
  }

  const close = async (): Promise<void> => {
    clearTimeout(idleTimer)
    const engine = running
    if (!engine) return
    if (engine.turn) return putDown(engine)
    engine.control.request({ subtype: 'end_session' }, PATIENCE_MS).catch(() => {})
    engine.process.endInput()
    const gone = await Promise.race([engine.process.exited.then(() => true), sleep(PATIENCE_MS, false, { ref: false })])
    if (!gone) await putDown(engine)
  }

  const turn = async (prompt: string): Promise<TurnEnd> => {
    if (prompt.startsWith('/')) return { reason: 'error', detail: 'a prompt must not begin with /' }
    state = 'thinking'
    try {
      const first = await converse(prompt)
      const lost =
        first.facts.result?.errors?.some((error) => LOST_SESSION.test(error)) ||
        LOST_SESSION.test(first.exit?.complaint ?? '')
      if (!lost) return decideTurnEnd(first.facts, first.exit, first.costBefore)
      note('warn', 'the session is gone: beginning a fresh one')
      await close()
      session.forget()
      const second = await converse(prompt)
      return decideTurnEnd(second.facts, second.exit, second.costBefore)
    } catch (error) {
      return { reason: 'crash', detail: `the engine does not start: ${errorText(error)}` }
    } finally {
      state = running ? 'idle' : 'asleep'
    }
  }

  return {
    get state() {
      return state
    },
    turn,
    interrupt,
    close,

    async check(): Promise<BrainCheck> {
      try {
        const { account } = await ensureRunning()
        if (keepWarmMs > 0 && state === 'asleep') state = 'idle'
        const loggedIn = [account.tokenSource, account.apiKeySource].some(
          (source) => source !== undefined && source !== 'none',
        )
        if (keepWarmMs === 0) await close()
        return loggedIn
          ? { claude: 'ok', detail: String(account.apiKeySource ?? account.tokenSource), mcp: { [TOOL_SERVER]: 'ok' } }
          : { claude: 'needs_login', detail: 'Claude Code has no login', mcp: { [TOOL_SERVER]: 'ok' } }
      } catch (error) {
        return { claude: 'error', detail: errorText(error), mcp: {} }
      }
    },

    async setModel(chosen) {
      model = chosen
      if (running) await running.control.request({ subtype: 'set_model', model: chosen }, PATIENCE_MS)
    },

    async compact() {
      state = 'compacting'
      try {
        const { facts, exit } = await converse('/compact')
        if (facts.result && !facts.result.is_error && !facts.compactError) return { ok: true, detail: '' }
        return { ok: false, detail: facts.compactError ?? decideTurnEnd(facts, exit, 0).detail }
      } catch (error) {
        return { ok: false, detail: errorText(error) }
      } finally {
        state = running ? 'idle' : 'asleep'
      }
    },

    async newSession() {
      await close()
      session.forget()
    },
  }
}

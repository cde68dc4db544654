import { join } from 'node:path'
import { HIVE_TOOL_SERVER } from '../../../wire/agent-config.ts'
import { errorText, HiveError } from '../../../wire/errors.ts'
import type { LiveEvent } from '../../../wire/events.ts'
import type { TurnEnd, TurnUsage } from '../../../wire/turn.ts'
import type { Brain, BrainCheck, EngineSettings } from '../brain.ts'
import { sumUsage } from '../sum-usage.ts'
import { claudeArgv, claudeEnv } from './argv.ts'
import type { Delta } from './delta.ts'
import { type Conversation, Engine } from './engine.ts'
import { describeLogin, type Login, readLogin } from './login.ts'
import { writeMcpConfig } from './mcp-config.ts'
import type { ToolServer } from './mcp-responder.ts'
import type { AskPermission } from './permission-requests.ts'
import { createSession, type Session } from './session.ts'
import { grantTools } from './tool-grants.ts'
import { decideTurnEnd, describeExit } from './turn-outcome.ts'

export interface ClaudeBrainOptions extends EngineSettings {
  readonly claudePath: string
  /** Stable: the engine files the conversation under it. */
  readonly cwd: string
  readonly configDir: string
  readonly tmpDir: string
  readonly model: string
  readonly systemPromptFile: string
  /** Tools of the engine that the agent has, as far as its configuration lets it. */
  readonly tools: readonly string[]
  /** Where the id of the conversation is remembered. */
  readonly sessionFile: string
  /** How long each step may take to stop the engine, before the next, harder one. */
  readonly patienceMs?: number
  /** How long a tool server may take to start. */
  readonly serverStartMs?: number
  readonly toolServer: ToolServer
  /** Asked for what the engine may not do by itself. */
  readonly askPermission: AskPermission
  readonly onEvent: (event: LiveEvent) => void
  readonly onDelta?: (delta: Delta) => void
  /** Called whenever the state is another. */
  readonly onState?: () => void
  /** Called when the turn in progress has used more, at most once a second. */
  readonly onUsage?: () => void
}

const PATIENCE_MS = 5_000
/** Far below the time in which a deployment has to be healthy. */
const SERVER_START_MS = 20_000
const LOST_SESSION = /No conversation found/

/** Drives the Claude Code CLI: one warm process that takes turn after turn, or (`keepWarmMs: 0`) a process for each. */
export const openClaudeBrain = (options: ClaudeBrainOptions): Brain => new ClaudeBrain(options)

/** What the brain does or is about to do. Aborted, it ends as soon as the engine lets it. */
interface Work {
  readonly kind: 'thinking' | 'compacting' | 'upkeep'
  readonly controller: AbortController
}

class ClaudeBrain implements Brain {
  #options: ClaudeBrainOptions
  readonly #session: Session
  #model: string
  #engine: Engine | undefined
  /** The first is in progress. One at a time: two processes on one conversation would hide each other's turns. */
  readonly #works: Work[] = []
  /** Resolves when all of them are done. */
  #done: Promise<unknown> = Promise.resolve()
  #idleTimer: NodeJS.Timeout | undefined
  #loginRefused = false
  /** What the engine could log in with when it was started. */
  #login: Login['id'] | undefined
  /** What the last check found, if the engine was well. */
  #wasWell: BrainCheck | undefined
  #leftovers = false
  #toldState: Brain['state'] = 'asleep'
  /** What was used between turns: the next turn's end tells of it. */
  #untold: TurnUsage | undefined
  #used: TurnUsage | undefined

  constructor(options: ClaudeBrainOptions) {
    this.#options = options
    this.#model = options.model
    this.#session = createSession(options.sessionFile)
  }

  get state(): Brain['state'] {
    const kind = this.#works[0]?.kind ?? 'upkeep'
    if (kind !== 'upkeep') return kind
    return this.#engine ? 'idle' : 'asleep'
  }

  #tellState(): void {
    if (this.state === this.#toldState) return
    this.#toldState = this.state
    this.#options.onState?.()
  }

  get leftovers(): boolean {
    return this.#leftovers
  }

  get used(): TurnUsage | undefined {
    return sumUsage(this.#untold, this.#used)
  }

  async #lookAtUsage(engine: Engine): Promise<void> {
    const used = await engine.used()
    if (!used || this.#works[0]?.kind !== 'thinking') return
    this.#used = used
    this.#options.onUsage?.()
  }

  turn(prompt: string): Promise<TurnEnd> {
    if (prompt.startsWith('/')) {
      throw new HiveError('bad_input', 'a prompt began with /: the engine would take it for a command')
    }
    return this.#alone('thinking', async (signal) => {
      try {
        const conversation = await this.#converse(prompt, signal)
        const end = decideTurnEnd(conversation.facts, conversation)
        this.#loginRefused = end.reason === 'auth'
        return { ...end, usage: this.#tellUsage(end.usage) }
      } catch (error) {
        const usage = this.#tellUsage(undefined)
        if (signal.aborted) return { reason: 'interrupted', detail: 'interrupted', usage }
        return { reason: 'crash', detail: `claude does not start: ${errorText(error)}`, usage }
      } finally {
        this.#used = undefined
      }
    })
  }

  /** Adds to what a turn used what was used since the last one. It is told once, also by a turn that came to nothing. */
  #tellUsage(used: TurnUsage | undefined): TurnUsage | undefined {
    const usage = sumUsage(this.#untold, used)
    this.#untold = undefined
    return usage
  }

  async interrupt(): Promise<void> {
    const turns = this.#works.filter(({ kind }) => kind !== 'upkeep')
    for (const { controller } of turns) controller.abort()
    if (turns.length > 0) await this.#done
  }

  async setModel(model: string): Promise<void> {
    this.#model = model
    const engine = this.#engine
    try {
      await engine?.setModel(model)
    } catch (error) {
      // One that has ended meanwhile gets the model at its next start.
      if (engine === this.#engine) throw error
    }
  }

  compact(): Promise<{ ok: boolean; detail: string }> {
    return this.#alone('compacting', async (signal) => {
      if (!this.#session.current().resume) return { ok: false, detail: 'there is no conversation yet' }
      try {
        const conversation = await this.#converse('/compact', signal)
        const { compaction } = conversation.facts
        this.#untold = sumUsage(this.#untold, conversation.usage)
        if (compaction === 'success') return { ok: true, detail: '' }
        return { ok: false, detail: compaction?.error ?? decideTurnEnd(conversation.facts, conversation).detail }
      } catch (error) {
        return { ok: false, detail: errorText(error) }
      }
    })
  }

  async newSession(): Promise<void> {
    await this.#alone('upkeep', async () => {
      await this.#engine?.end()
      this.#session.forget()
    })
  }

  async check(): Promise<BrainCheck> {
    // A turn in progress must not be waited for, let alone disturbed.
    if (this.#engine && this.state !== 'idle') {
      try {
        return await describeEngine(this.#engine, this.#readLogin())
      } catch {
        // It ended meanwhile: the next one is looked at.
      }
    }
    const sleeps = !this.#engine && this.#works.length === 0
    const isSame = this.#wasWell?.login === this.#readLogin().id
    if (sleeps && this.#wasWell && isSame && !this.#loginRefused) return this.#wasWell
    return this.#alone('upkeep', async (signal) => {
      const check = await this.#look(signal)
      this.#wasWell = check.claude === 'ok' ? check : undefined
      return check
    })
  }

  async #look(signal: AbortSignal): Promise<BrainCheck> {
    try {
      // A process learns of another login with its next turn only.
      if (this.#loginRefused || this.#readLogin().id !== this.#login) await this.#engine?.end()
      return await describeEngine(await this.#ensureEngine(signal), this.#readLogin(), signal)
    } catch (error) {
      return { claude: 'error', detail: errorText(error), mcp: {} }
    }
  }

  #readLogin(): Login {
    return readLogin(this.#options.configDir, this.#options.env)
  }

  async configure(settings: EngineSettings): Promise<void> {
    await this.#alone('upkeep', async () => {
      await this.#engine?.end()
      this.#options = { ...this.#options, ...settings }
      this.#wasWell = undefined
      this.#loginRefused = false
    })
  }

  async rest(): Promise<void> {
    if (this.#works.length === 0) await this.#endEngine()
  }

  async close(): Promise<void> {
    for (const { controller } of this.#works) controller.abort()
    await this.#endEngine()
  }

  async #endEngine(): Promise<void> {
    await this.#alone('upkeep', async () => this.#engine?.end())
  }

  /** Does `work` when what was begun before is done. */
  #alone<T>(kind: Work['kind'], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const mine: Work = { kind, controller: new AbortController() }
    this.#works.push(mine)
    this.#tellState()
    const result = this.#done.then(async () => {
      clearTimeout(this.#idleTimer)
      try {
        return await work(mine.controller.signal)
      } finally {
        await this.#coolDown()
        this.#works.shift()
        this.#tellState()
      }
    })
    this.#done = result.catch(() => {})
    return result
  }

  /** What is done with an engine that has nothing to do. */
  async #coolDown(): Promise<void> {
    const { keepWarmMs } = this.#options
    if (!this.#engine) return
    if (keepWarmMs === 0) await this.#engine.end()
    else this.#idleTimer = setTimeout(() => void this.#endEngine(), keepWarmMs).unref()
  }

  async #converse(text: string, signal: AbortSignal): Promise<Conversation> {
    const wasIdle = this.#engine !== undefined
    const engine = await this.#ensureEngine(signal)
    signal.throwIfAborted()
    this.#session.keep(engine.sessionId)
    const conversation = await engine.converse(text, signal)
    const { exit, facts } = conversation
    // One that ended while it was idle, before anybody noticed, has not seen the message.
    if (exit && wasIdle && !facts.begun && !facts.stopped) return this.#converse(text, signal)
    if (exit && (exit.signal || !facts.result)) this.#leftovers = true
    return conversation
  }

  async #ensureEngine(signal: AbortSignal): Promise<Engine> {
    if (this.#engine) return this.#engine
    try {
      return await this.#startEngine(signal)
    } catch (error) {
      if (!LOST_SESSION.test(errorText(error))) throw error
      this.#note('warn', 'the conversation is gone: beginning a fresh one')
      this.#session.forget()
      return this.#startEngine(signal)
    }
  }

  async #startEngine(signal: AbortSignal): Promise<Engine> {
    const { claudePath, configDir, cwd, env, hangMs, patienceMs = PATIENCE_MS, tmpDir } = this.#options
    const { onEvent, onDelta = () => {}, toolServer, serverStartMs = SERVER_START_MS } = this.#options
    const { systemPromptFile, tools, config, askPermission } = this.#options
    const mcpConfigFile = join(tmpDir, 'mcp.json')
    writeMcpConfig(mcpConfigFile, config.mcpServers)
    const session = this.#session.current()
    const model = this.#model
    this.#login = this.#readLogin().id
    const engine = await Engine.start(
      {
        path: claudePath,
        argv: claudeArgv({ model, systemPromptFile, mcpConfigFile, grants: grantTools(tools, config), session }),
        cwd,
        env: claudeEnv(env, { configDir, tmpDir, serverStartMs }),
        session,
        toolServer,
        askPermission,
        servers: Object.keys(config.mcpServers),
        serverStartMs,
        hangMs,
        patienceMs,
        onMessage: (value) => onEvent({ kind: 'stream', value }),
        onDelta,
        onUsage: () => void this.#lookAtUsage(engine),
        onWarning: (text) => this.#note('warn', text),
      },
      signal,
    )
    this.#engine = engine
    this.#tellState()
    void engine.exited.then((exit) => {
      this.#engine = undefined
      this.#tellState()
      if (exit.signal) this.#note('error', describeExit(exit))
    })
    if (this.#model !== model) await engine.setModel(this.#model)
    return engine
  }

  #note(level: 'warn' | 'error', text: string): void {
    this.#options.onEvent({ kind: 'note', level, text })
  }
}

/** Throws when the engine does not say how its tool servers are. */
async function describeEngine(engine: Engine, { id, stored }: Login, signal?: AbortSignal): Promise<BrainCheck> {
  const [hasTools, problems] = await Promise.all([engine.hasTools(), engine.serverProblems(signal)])
  const login = describeLogin(engine.account, stored, Date.now())
  const details = [login.detail]
  const mcp: Record<string, 'ok' | 'error'> = { [HIVE_TOOL_SERVER]: hasTools ? 'ok' : 'error' }
  for (const [name, problem] of problems) {
    mcp[name] = problem === undefined ? 'ok' : 'error'
    if (problem !== undefined) details.push(`tool server ${name} cannot be used: ${problem}`)
  }
  return { claude: login.ok ? 'ok' : 'needs_login', detail: details.join('; '), login: id, mcp }
}

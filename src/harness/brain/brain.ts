import type { HarnessConfig } from '../../wire/agent-config.ts'
import type { TurnEnd, TurnUsage } from '../../wire/turn.ts'

/**
 * The engine that takes turns: one per harness. `claude/` drives the Claude Code CLI; other engines may come.
 * It does one thing at a time: what is asked of it meanwhile waits, but for `interrupt`, `setModel`, `check` and `close`.
 */
export interface Brain {
  /**
   * Checks that the engine runs, what state its login is in and which tool servers can be used, without a model request.
   * A tool server that is still starting is waited for.
   * Resolves also when the engine cannot start (`claude: 'error'`). During a turn it tells what is known, without disturbing it;
   * an engine that was well and ended for want of work is not started to say so again.
   */
  check(): Promise<BrainCheck>
  /**
   * Takes one turn. Resolves when the engine is idle again or gone; whatever goes wrong is a `TurnEnd`.
   * Throws `bad_input` for a prompt that begins with `/`: that would be a command of the engine.
   */
  turn(prompt: string): Promise<TurnEnd>
  /** Stops the turn or the compaction in progress, which ends `interrupted`, and waits for that. Harmless when idle. */
  interrupt(): Promise<void>
  /** Takes effect with the next model request and survives a restart of the engine. */
  setModel(model: string): Promise<void>
  /** Goes on under other settings: what is in progress ends under the old ones, then the engine's process does. */
  configure(settings: EngineSettings): Promise<void>
  /** Shortens the context. Never rejects. */
  compact(): Promise<{ ok: boolean; detail: string }>
  /** Forgets the conversation; the next turn begins a fresh session. */
  newSession(): Promise<void>
  /** Ends the engine's process if it has nothing to do. The next turn starts it again. */
  rest(): Promise<void>
  /** Interrupts what is in progress, ends the engine's process and waits for it. The next turn starts it again. */
  close(): Promise<void>
  /**
   * Processes of a turn whose engine was killed may live on; only the end of the container ends them.
   * True until then: whoever owns the container should see to it once the turn is reported.
   */
  readonly leftovers: boolean
  /** What the turn in progress has used so far, and what was used before it since the last turn; its end tells the whole. */
  readonly used: TurnUsage | undefined
  readonly state: 'idle' | 'thinking' | 'compacting' | 'asleep'
}

/** What may be another after the daemon was away, while the engine runs. */
export interface EngineSettings {
  /** The agent's: endpoint, login, proxy. Nothing else is passed on. */
  readonly env: Readonly<Record<string, string>>
  /** How long an idle process stays up; 0: one process per turn. */
  readonly keepWarmMs: number
  /** A turn without any sign for so long has hung. Tools that run give one every 30 s. */
  readonly hangMs: number
  /** Which tools it has beside ours, and what it may do with its own. */
  readonly config: HarnessConfig
}

export interface BrainCheck {
  readonly claude: 'ok' | 'needs_login' | 'error'
  /** Which login it has, or why none can be used. Also says which tool servers cannot be used, and why. */
  readonly detail: string
  /** A name for what it would log in with, another for another. */
  readonly login?: string
  /** Tool server name → state. */
  readonly mcp: Readonly<Record<string, 'ok' | 'error'>>
}

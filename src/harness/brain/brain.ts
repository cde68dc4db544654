import type { TurnEnd } from '../../wire/turn.ts'

/**
 * The engine that takes turns: one per harness. `claude/` drives the Claude Code CLI; other engines may come.
 * A brain is started, takes one turn at a time, and is closed. It reports events through `onEvent` and never throws out of a turn.
 */
export interface Brain {
  /**
   * Checks that the engine runs and what state its login is in, without a model request.
   * Resolves also when the engine cannot start (`claude: 'error'`).
   */
  check(): Promise<BrainCheck>
  /** Takes one turn. Resolves when the engine is idle again or gone. Never rejects. */
  turn(prompt: string): Promise<TurnEnd>
  /** Stops the turn in progress; its promise resolves with `interrupted`. Harmless when idle. */
  interrupt(): Promise<void>
  /** Takes effect with the next model request and survives a restart of the engine. */
  setModel(model: string): Promise<void>
  /** Shortens the context. Never rejects. */
  compact(): Promise<{ ok: boolean; detail: string }>
  /** Forgets the conversation; the next turn begins a fresh session. */
  newSession(): Promise<void>
  /** Ends the engine's process and waits for it. */
  close(): Promise<void>
  readonly state: 'idle' | 'thinking' | 'compacting' | 'asleep'
}

export interface BrainCheck {
  readonly claude: 'ok' | 'needs_login' | 'error'
  readonly detail: string
  /** Tool server name → state. */
  readonly mcp: Readonly<Record<string, 'ok' | 'error'>>
}

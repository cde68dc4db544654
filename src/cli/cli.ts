import type { Command } from 'commander'
import type { Settings } from '../kit/settings.ts'
import type { Io } from './io.ts'

/** A daemon in this process. */
export interface RunningDaemon {
  /** What the operator should be told at the start. */
  readonly notices: readonly string[]
  stop(options: { stopAgents: boolean }): Promise<void>
  /** Resolves when it has ended, whoever asked. */
  readonly done: Promise<void>
}

/** What came of trying to make a sandbox here: the fix is a command or a sentence. */
export interface SandboxProbe {
  readonly problems: readonly { readonly what: string; readonly fix: string }[]
  /** What of an agent can be limited. */
  readonly limits: readonly string[]
}

/** What the command line is given by the composition root. */
export interface Cli {
  /** Tells `onStep` what it does at the moment, in a few words. */
  readonly startDaemon: (settings: Settings, onStep: (step: string) => void) => Promise<RunningDaemon>
  /** Tries a throw-away sandbox; needs no hive and leaves nothing. */
  readonly probeSandbox: () => Promise<SandboxProbe>
  readonly io: Io
  readonly env: NodeJS.ProcessEnv
  readonly uid: number
}

/** Flags that every command has. */
export interface GlobalFlags {
  readonly stateDir?: string
  readonly runDir?: string
  readonly json?: boolean
}

/** The flags of a call, the global ones included. */
export const flagsOf = <T extends object = object>(command: Command): GlobalFlags & T =>
  command.optsWithGlobals<GlobalFlags & T>()

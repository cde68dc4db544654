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

/** What the command line is given by the composition root. */
export interface Cli {
  /** Tells `onStep` what it does at the moment, in a few words. */
  readonly startDaemon: (settings: Settings, onStep: (step: string) => void) => Promise<RunningDaemon>
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

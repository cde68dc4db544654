import type { Settings } from '../../kit/settings.ts'
import type { Cli, GlobalFlags } from '../cli.ts'

/** One precondition of a hive. `fail`: nothing runs without it; `warn`: something is less than it could be. */
export interface Check {
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly detail: string
  /** The next step, a command where there is one. */
  readonly fix?: string
}

/** What the checks may look at. */
export interface Patient {
  readonly cli: Cli
  readonly flags: GlobalFlags
  readonly settings: Settings
}

export const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail })
export const warn = (name: string, detail: string, fix: string): Check => ({ name, status: 'warn', detail, fix })
export const fail = (name: string, detail: string, fix: string): Check => ({ name, status: 'fail', detail, fix })

import { execa } from 'execa'
import { HiveError } from '../wire/errors.ts'

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface RunResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command to its end, argv as data, environment replaced by `env` plus PATH. Gives its exit code, whatever it is.
 * Throws `unavailable` when it cannot be started and `timeout` when it takes longer than `timeoutMs` (60 s).
 */
export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const [command, ...args] = argv
  const result = await execa(command, args, {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', ...options.env },
    extendEnv: false,
    input: options.stdin ?? '',
    timeout: options.timeoutMs ?? 60_000,
    cancelSignal: options.signal,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 16 * 1024 * 1024,
  })
  if (result.timedOut) throw new HiveError('timeout', `${command} took longer than ${options.timeoutMs ?? 60_000} ms`)
  if (result.isCanceled) throw new HiveError('cancelled', `${command} was cancelled`)
  if (result.exitCode === undefined && result.signal === undefined) {
    throw new HiveError('unavailable', `cannot run ${command}: ${result.shortMessage}`, { cause: result.cause })
  }
  return { exitCode: result.exitCode ?? 128, stdout: result.stdout, stderr: result.stderr }
}

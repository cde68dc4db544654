import type { Settings } from '../kit/settings.ts'
import { errorText, HiveError } from '../wire/errors.ts'
import type { Cli, RunningDaemon } from './cli.ts'
import { EXIT } from './exit-code.ts'
import { reportFailure } from './failure.ts'
import type { SignalName } from './io.ts'
import { printable } from './printable.ts'
import { say } from './show.ts'

/** One Ctrl-C may come twice: from the terminal, and passed on by the `npm start` around us. */
const SAME_KEY_MS = 500

export interface RunDaemonOptions {
  readonly signals: readonly SignalName[]
  readonly stopAgents: boolean
  readonly json: boolean
  /** What is said at once. */
  readonly hello?: string | undefined
  /** What is said at the first signal. */
  readonly goodbye: string
  /** What is said at the second one. */
  readonly leaving: string
  /** Called with each step of the start. */
  readonly onStep?: (step: string) => void
  /** What to do while it runs. */
  readonly use?: (daemon: RunningDaemon) => Promise<void>
}

/**
 * Runs a daemon in this process until it ends. The first signal stops it, one that comes during the start as soon as it has started;
 * the second one leaves at once. Throws `unavailable` for what the system refused, `cancelled` when the start failed after a signal, which its children may have got as well.
 */
export async function runDaemon(cli: Cli, settings: Settings, options: RunDaemonOptions): Promise<void> {
  let daemon: RunningDaemon | undefined
  let toldAt: number | undefined
  const stop = async (running: RunningDaemon): Promise<void> => {
    try {
      await running.stop({ stopAgents: options.stopAgents })
    } catch (error) {
      // What is half closed would keep this process.
      cli.io.exit(reportFailure(error, cli.io, options.json))
    }
  }
  const forget = cli.io.onSignal(options.signals, () => {
    const now = cli.io.now()
    if (toldAt === undefined) {
      toldAt = now
      say(cli, options.goodbye)
      if (daemon) void stop(daemon)
    } else if (now - toldAt > SAME_KEY_MS) {
      say(cli, options.leaving)
      cli.io.exit(EXIT.interrupted)
    }
  })
  if (options.hello) say(cli, options.hello)
  try {
    daemon = await start(cli, settings, options, () => toldAt !== undefined)
    for (const notice of daemon.notices) say(cli, `hive: ${printable(notice)}`)
    if (toldAt === undefined) await options.use?.(daemon)
    else await stop(daemon)
    await daemon.done
  } finally {
    forget()
  }
}

async function start(
  cli: Cli,
  settings: Settings,
  { onStep = () => {} }: RunDaemonOptions,
  isTold: () => boolean,
): Promise<RunningDaemon> {
  try {
    return await cli.startDaemon(settings, onStep)
  } catch (cause) {
    if (!isTold()) throw explainStart(cause)
    throw new HiveError('cancelled', `the start was interrupted: ${errorText(cause)}`, { cause })
  }
}

/** What the system refused, a directory that is not ours first of all, needs no stack. */
function explainStart(error: unknown): unknown {
  const isOfSystem = error instanceof Error && 'syscall' in error
  if (!isOfSystem) return error
  return new HiveError('unavailable', `the hive cannot start: ${error.message}`, {
    hint: 'hive doctor, with the same --state-dir and --run-dir, shows every precondition',
    cause: error,
  })
}

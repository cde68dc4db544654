import { CommanderError } from 'commander'
import { z } from 'zod'
import { errorText, HiveError } from '../wire/errors.ts'
import { EXIT, EXIT_OF_ERROR } from './exit-code.ts'
import type { Io } from './io.ts'
import { createPaint } from './paint.ts'
import { jsonText, printable } from './printable.ts'

/** Thrown by a command that has said on stdout what is wrong: it ends with exit code 1. */
export class Reported extends Error {
  override readonly name = 'Reported'
}

/** Says on stderr what went wrong and gives the exit code: that of the first, when several things did. */
export function reportFailure(error: unknown, io: Pick<Io, 'err'>, json: boolean): number {
  if (error instanceof AggregateError) {
    return error.errors.map((one) => reportFailure(one, io, json))[0] ?? EXIT.failed
  }
  if (error instanceof Reported) return EXIT.failed
  const { err } = io
  if (error instanceof CommanderError && (error.exitCode === 0 || !json)) {
    // Commander has spoken already.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  const failure = toHiveError(error)
  if (json) err.write(`${jsonText({ error: failure.toWire() })}\n`)
  else err.write(failureText(failure, createPaint(err)))
  return EXIT_OF_ERROR[failure.code]
}

/** An error for people: what happened, and the next step. */
export function failureText({ message, hint }: HiveError, paint: ReturnType<typeof createPaint>): string {
  const next = (hint?.split('\n') ?? []).map((line) => `  ${paint('gray', printable(line))}\n`).join('')
  return `${paint('red', 'hive:')} ${printable(message)}\n${next}`
}

function toHiveError(error: unknown): HiveError {
  if (error instanceof HiveError) return error
  if (error instanceof CommanderError) return toUsageError(error)
  if (error instanceof z.ZodError) {
    return new HiveError('internal', `an answer of the daemon makes no sense here: ${z.prettifyError(error)}`, {
      hint: 'is the daemon of another version than this hive? `hive status --json` or a restart tells',
      cause: error,
    })
  }
  const stack = error instanceof Error ? error.stack : undefined
  return new HiveError('internal', `unexpected: ${errorText(error)}`, { hint: stack, cause: error })
}

/** Commander puts the nearest word on a second line; a usage without a command has no message of its own. */
function toUsageError({ code, message }: CommanderError): HiveError {
  if (code.startsWith('commander.help')) return new HiveError('bad_input', 'no command', { hint: 'hive --help' })
  const [what = '', ...hint] = message.replace(/^error: /, '').split('\n')
  return new HiveError('bad_input', what, { hint: hint.join('\n') || undefined })
}

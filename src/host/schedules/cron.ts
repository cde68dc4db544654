import { Cron } from 'croner'
import { errorText, HiveError } from '../../wire/errors.ts'

/** Name of the time zone of this machine. */
export const hostTimeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/**
 * The first time after `after`, both in unix milliseconds, that five fields of cron mean in a time zone. Throws `bad_input` when
 * they mean nothing, or a day that never comes.
 */
export function nextDue(expression: string, after: number, timeZone: string): number {
  const next = parse(expression, timeZone).nextRun(new Date(after))
  if (next) return next.getTime()
  throw new HiveError('bad_input', `that day never comes: ${expression}`)
}

const FIELDS = { hint: 'the fields are minute hour day month weekday, such as "30 8 * * mon-fri"' }

function parse(expression: string, timeZone: string): Cron {
  // To the library it is the time of the call, which is another one each time.
  if (expression.includes('?')) throw new HiveError('bad_input', '? means nothing here', FIELDS)
  try {
    return new Cron(expression, {
      mode: '5-part',
      paused: true,
      timezone: timeZone,
      // When clocks change, lists and ranges keep to the clock on the wall too.
      fixedTimeRule: 'no-wildcard',
    })
  } catch (error) {
    throw new HiveError('bad_input', errorText(error).replace(/^CronPattern: /, ''), { ...FIELDS, cause: error })
  }
}

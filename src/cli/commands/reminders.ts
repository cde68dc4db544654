import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import type { Reminder } from '../../wire/schedules.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { headlineTable } from '../headline.ts'
import { createPaint } from '../paint.ts'
import { printableLine } from '../printable.ts'
import { show } from '../show.ts'
import { dateText } from '../time-text.ts'
import { sayUndecodable } from '../undecodable.ts'

const TITLES = ['ID', 'AGENT', 'DUE', 'SET', 'MESSAGE']

export const addReminders = (program: Command, cli: Cli): Command =>
  program
    .command('reminders')
    .description(hostOps.reminders.about)
    .option('--agent <agent>', 'only of this agent')
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 500), 200)
    .option('-q, --quiet', 'numbers only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ agent?: string; lines: number; quiet?: boolean }>(command)
      const { agent, lines: limit } = flags
      const { reminders, errors } = await withDaemon(cli, flags, (call) => call.reminders({ agent, limit }))
      sayUndecodable(cli, errors)
      const { out } = cli.io
      const look = { paint: createPaint(out), columns: out.columns() }
      show(cli, flags, {
        data: reminders,
        ids: reminders.map(({ id }) => id),
        text: () =>
          reminders.length === 0
            ? 'no agent has left a reminder for itself\n'
            : headlineTable(TITLES, reminders.map(rowOf), look),
      })
    })

const rowOf = ({ id, agent, dueAt, setAt, message }: Reminder): string[] => [
  String(id),
  printableLine(agent),
  dateText(dueAt),
  dateText(setAt),
  message,
]

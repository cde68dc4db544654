import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import type { ScheduleView } from '../../wire/schedules.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { headlineTable } from '../headline.ts'
import { createPaint } from '../paint.ts'
import { printableLine } from '../printable.ts'
import { show } from '../show.ts'
import { dateText } from '../time-text.ts'

const TITLES = ['AGENT', 'CRON', 'NEXT', 'LAST', 'MESSAGE']

export const addSchedules = (program: Command, cli: Cli): Command =>
  program
    .command('schedules')
    .description(hostOps.schedules.about)
    .option('--agent <agent>', 'only of this agent')
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 500), 200)
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ agent?: string; lines: number }>(command)
      const { agent, lines: limit } = flags
      const { schedules } = await withDaemon(cli, flags, (call) => call.schedules({ agent, limit }))
      const { out } = cli.io
      const look = { paint: createPaint(out), columns: out.columns() }
      show(cli, flags, {
        data: schedules,
        text: () =>
          schedules.length === 0
            ? 'no configuration that is deployed has schedules; an agent.json can name some\n'
            : headlineTable(TITLES, schedules.map(rowOf), look),
      })
    })

const rowOf = ({ agent, cron, nextAt, lastAt, message }: ScheduleView): string[] => [
  printableLine(agent),
  printableLine(cron),
  dateText(nextAt),
  lastAt === null ? '-' : dateText(lastAt),
  message,
]

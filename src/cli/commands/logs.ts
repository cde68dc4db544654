import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { createPaint } from '../paint.ts'
import { printable } from '../printable.ts'
import { show } from '../show.ts'

export const addLogs = (program: Command, cli: Cli): Command =>
  program
    .command('logs')
    .description(hostOps.logs.about)
    .argument('<unit>', 'name of an agent, manager, gateway or model')
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 5000), 200)
    .action(async (unit: string, _, command: Command) => {
      const flags = flagsOf<{ lines: number }>(command)
      const { lines } = await withDaemon(cli, flags, (call) => call.logs({ unit, lines: flags.lines }))
      const paint = createPaint(cli.io.out)
      show(cli, flags, {
        data: lines,
        text: () =>
          lines
            .map(({ stream, text }) => `${stream === 'stderr' ? paint('yellow', printable(text)) : printable(text)}\n`)
            .join(''),
      })
    })

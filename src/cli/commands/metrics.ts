import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { show } from '../show.ts'

export const addMetrics = (program: Command, cli: Cli): Command =>
  program
    .command('metrics')
    .description(hostOps.metrics.about)
    .action(async (_, command: Command) => {
      const flags = flagsOf(command)
      const { text } = await withDaemon(cli, flags, (call) => call.metrics({}))
      show(cli, flags, { data: { text }, text: () => text })
    })

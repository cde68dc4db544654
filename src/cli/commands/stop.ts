import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { show } from '../show.ts'

export const addStop = (program: Command, cli: Cli): Command =>
  program
    .command('stop')
    .description(hostOps.stop_all.about)
    .option('--all', 'needed, since it stops all of them')
    .option('-m, --message <reason>', 'why, for whoever looks')
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ all?: boolean; message?: string }>(command)
      if (!flags.all)
        command.error('error: hive stop stops everybody: say --all; for one agent there is hive kill, or pause')
      const { interrupted } = await withDaemon(cli, flags, (call) => call.stop_all({ reason: flags.message }))
      show(cli, flags, {
        data: { interrupted },
        text: () =>
          `nothing is delivered to anybody until hive resume --all; ${interrupted === 1 ? 'one turn' : `${interrupted} turns`} interrupted\n`,
      })
    })

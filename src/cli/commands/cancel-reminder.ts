import { Argument, type Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { show } from '../show.ts'

export const addCancelReminder = (program: Command, cli: Cli): Command =>
  program
    .command('cancel-reminder')
    .description(hostOps.cancel_reminder.about)
    .addArgument(new Argument('<id>', 'number of the reminder').argParser(wholeNumber(1)))
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf(command)
      await withDaemon(cli, flags, (call) => call.cancel_reminder({ id }))
      show(cli, flags, { data: { id }, text: () => `reminder ${id} is taken back\n` })
    })

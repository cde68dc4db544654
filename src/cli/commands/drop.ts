import { Argument, type Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { show } from '../show.ts'

export const addDrop = (program: Command, cli: Cli): Command =>
  program
    .command('drop')
    .description(hostOps.drop.about)
    .addArgument(new Argument('<id>', 'number of the message').argParser(wholeNumber(1)))
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf(command)
      const { message } = await withDaemon(cli, flags, (call) => call.drop({ id }))
      show(cli, flags, { data: message, text: () => `#${id} is off the list\n` })
    })

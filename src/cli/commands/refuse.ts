import { Argument, type Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { show } from '../show.ts'

export const addRefuse = (program: Command, cli: Cli): Command =>
  program
    .command('refuse')
    .description(hostOps.refuse.about)
    .addArgument(new Argument('<id>', 'number of the permission').argParser(wholeNumber(1)))
    .option('-m, --message <message>', 'why, for the agent')
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf<{ message?: string }>(command)
      const { permission } = await withDaemon(cli, flags, (call) => call.refuse({ id, message: flags.message }))
      show(cli, flags, { data: permission, text: () => `permission ${id} is refused\n` })
    })

import { Argument, type Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { ask, assertTerminal } from '../ask.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { show } from '../show.ts'

export const addDeny = (program: Command, cli: Cli): Command =>
  program
    .command('deny')
    .description(hostOps.deny.about)
    .addArgument(new Argument('<id>', 'number of the approval').argParser(wholeNumber(1)))
    .option('-m, --message <reason>', 'why, for the manager; may be empty')
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf<{ message?: string }>(command)
      const reason = flags.message ?? (await askReason(cli))
      const { approval } = await withDaemon(cli, flags, (call) => call.deny({ id, reason }))
      show(cli, flags, { data: approval, text: () => `approval ${id} is denied\n` })
    })

async function askReason(cli: Cli): Promise<string> {
  assertTerminal(cli, 'deny', "pass -m '<why>', or -m '' for no reason")
  const reason = await ask(cli, 'Why? The manager is told: ')
  if (reason === undefined) throw new HiveError('cancelled', 'nothing was denied')
  return reason
}

import { Argument, type Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { show } from '../show.ts'

export const addAllow = (program: Command, cli: Cli): Command =>
  program
    .command('allow')
    .description(hostOps.allow.about)
    .addArgument(new Argument('<root>', 'number of the message that began the chain').argParser(wholeNumber(1)))
    .option('--stop', 'stop the chain for good')
    .action(async (root: number, _, command: Command) => {
      const flags = flagsOf<{ stop?: boolean }>(command)
      await withDaemon(cli, flags, (call) => call.allow({ root, stop: flags.stop }))
      show(cli, flags, {
        data: { root, stopped: flags.stop === true },
        text: () => `the chain of #${root} ${flags.stop ? 'is stopped' : 'may go on'}\n`,
      })
    })

import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { printable } from '../printable.ts'
import { show } from '../show.ts'

export const addConfig = (program: Command, cli: Cli): Command =>
  program
    .command('config <agent>')
    .description(hostOps.config.about)
    .action(async (agent: string, _, command: Command) => {
      const flags = flagsOf(command)
      const config = await withDaemon(cli, flags, (call) => call.config({ agent }))
      show(cli, flags, {
        data: config,
        text: () => {
          if (config.sha === null) return 'nothing was deployed yet\n'
          if (config.text === null) return 'its commit has no agent.json: everything is left to the hive\n'
          return `${printable(config.text.trimEnd())}\n`
        },
      })
    })

import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { sayWhileWaiting } from '../patience.ts'
import { printable } from '../printable.ts'
import { show } from '../show.ts'

export const addLogout = (program: Command, cli: Cli): Command =>
  program
    .command('logout')
    .description(hostOps.logout.about)
    .argument('<agent>', 'name of the agent, or manager')
    .action(async (agent: string, _, command: Command) => {
      const flags = flagsOf(command)
      const { text } = await withDaemon(cli, flags, (call) =>
        sayWhileWaiting(cli, flags, 'the provider to be told', call.logout({ agent })),
      )
      show(cli, flags, { data: { name: agent, text }, text: () => `${agent}: ${printable(text)}\n` })
    })

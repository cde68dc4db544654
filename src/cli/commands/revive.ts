import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { helloText } from '../agent-verb.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { sayWhileWaiting } from '../patience.ts'
import { show } from '../show.ts'

export const addRevive = (program: Command, cli: Cli): Command =>
  program
    .command('revive')
    .description(hostOps.revive.about)
    .argument('<name>', 'name of an agent that was destroyed')
    .action(async (name: string, _, command: Command) => {
      const flags = flagsOf(command)
      await withDaemon(cli, flags, (call) => sayWhileWaiting(cli, flags, helloText(name), call.revive({ name })))
      show(cli, flags, { data: { name }, text: () => `${name} is back\n` })
    })

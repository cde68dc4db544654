import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { printableLine } from '../printable.ts'
import { show } from '../show.ts'

const SOURCES = {
  operator: 'chosen by the operator',
  config: 'of its configuration',
  default: 'the default of the hive',
} as const

export const addModel = (program: Command, cli: Cli): Command =>
  program
    .command('model')
    .description(hostOps.model.about)
    .argument('<agent>', 'name of the agent, or manager')
    .argument('[model]', 'name of the model, or default')
    .action(async (agent: string, model: string | undefined, _, command: Command) => {
      const flags = flagsOf(command)
      const chosen = await withDaemon(cli, flags, (call) => call.model({ agent, model }))
      show(cli, flags, { data: chosen, text: () => `${printableLine(chosen.model)}  (${SOURCES[chosen.source]})\n` })
    })

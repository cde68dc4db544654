import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { helloText } from '../agent-verb.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { sayWhileWaiting } from '../patience.ts'
import { printable } from '../printable.ts'
import { say, show } from '../show.ts'

export const addSpawn = (program: Command, cli: Cli): Command =>
  program
    .command('spawn')
    .description(hostOps.spawn.about)
    .argument('<name>', 'name of the new agent: 1 to 9 characters of a-z, 0-9 and -')
    .option('-q, --quiet', 'name only')
    .action(async (name: string, _, command: Command) => {
      const flags = flagsOf<{ quiet?: boolean }>(command)
      const spawned = await withDaemon(cli, flags, (call) =>
        sayWhileWaiting(cli, flags, helloText(name), call.spawn({ name })),
      )
      for (const warning of spawned.warnings) say(cli, `hive: warning: ${printable(warning)}`)
      const { agent } = spawned
      show(cli, flags, {
        data: spawned,
        ids: [agent.name],
        text: () => `${agent.name} runs in ${agent.container}, ${agent.state}, with ${agent.model}\n`,
      })
    })

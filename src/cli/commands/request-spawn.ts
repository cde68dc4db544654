import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { show } from '../show.ts'

export const addRequestSpawn = (program: Command, cli: Cli): Command =>
  program
    .command('request-spawn')
    .description(hostOps.request_spawn.about)
    .argument('<name>', 'name of the new agent: 1 to 9 characters of a-z, 0-9 and -')
    .option('-m, --message <reason>', 'what it is for')
    .option('-q, --quiet', 'number of the approval only')
    .action(async (name: string, _, command: Command) => {
      const flags = flagsOf<{ quiet?: boolean; message?: string }>(command)
      const { approval } = await withDaemon(cli, flags, (call) => call.request_spawn({ name, reason: flags.message }))
      show(cli, flags, {
        data: approval,
        ids: [approval.id],
        text: () => `approval ${approval.id} waits for a decision: hive approve ${approval.id}\n`,
      })
    })

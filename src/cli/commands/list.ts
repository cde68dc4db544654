import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { agentTable } from '../agent-table.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { sayDemo } from '../demo-talk.ts'
import { createPaint } from '../paint.ts'
import { show } from '../show.ts'

export const addList = (program: Command, cli: Cli): Command =>
  program
    .command('list')
    .description(hostOps.list.about)
    .option('-q, --quiet', 'names only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ quiet?: boolean }>(command)
      await sayDemo(cli, flags)
      const { agents } = await withDaemon(cli, flags, (call) => call.list({}))
      show(cli, flags, {
        data: agents,
        ids: agents.map(({ name }) => name),
        text: () => agentTable(agents, { paint: createPaint(cli.io.out), now: cli.io.now() }),
      })
    })

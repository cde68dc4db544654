import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { sayDemo } from '../demo-talk.ts'
import { idOfNeed, needText } from '../need-text.ts'
import { createPaint } from '../paint.ts'
import { show } from '../show.ts'

export const addNeeds = (program: Command, cli: Cli): Command =>
  program
    .command('needs')
    .description(hostOps.needs.about)
    .option('-q, --quiet', 'numbers of messages and approvals, and names of agents, only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ quiet?: boolean }>(command)
      await sayDemo(cli, flags)
      const { needs } = await withDaemon(cli, flags, (call) => call.needs({}))
      const look = { paint: createPaint(cli.io.out), now: cli.io.now() }
      show(cli, flags, {
        data: needs,
        ids: needs.map(idOfNeed),
        text: () => needs.map((need) => needText(need, look)).join('') || 'nothing waits for you\n',
      })
    })

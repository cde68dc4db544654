import type { Command } from 'commander'
import type { hostOps } from '../../wire/host-ops.ts'
import type { Output } from '../../wire/op.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { connectDaemon, withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { sayDemo } from '../demo-talk.ts'
import { eventText } from '../event-text.ts'
import { FOLLOW_WAIT_SECONDS, followPages } from '../follow.ts'
import { sayGap } from '../follow-talk.ts'
import { createPaint } from '../paint.ts'
import { show, showJsonLine } from '../show.ts'

type Flags = GlobalFlags & { follow?: boolean; lines: number }
type Page = Output<(typeof hostOps)['events']>

export const addTail = (program: Command, cli: Cli): Command =>
  program
    .command('tail')
    .description('Show what an agent does, oldest first.')
    .argument('<agent>', 'name of the agent, or manager')
    .option('-f, --follow', 'go on with what it does, until interrupted; the default on a terminal')
    .option('--no-follow', 'end after what is there')
    .option('-n, --lines <count>', 'how many events', wholeNumber(1, 500), 50)
    .action(async (agent: string, _, command: Command) => {
      const flags = flagsOf<Flags>(command)
      await sayDemo(cli, flags)
      await ((flags.follow ?? cli.io.out.isTTY) ? follow(cli, flags, agent) : list(cli, flags, agent))
    })

async function list(cli: Cli, flags: Flags, agent: string): Promise<void> {
  const { events } = await withDaemon(cli, flags, (call) => call.events({ agent, limit: flags.lines }))
  const paint = createPaint(cli.io.out)
  show(cli, flags, { data: events, text: () => events.map((event) => eventText(event, paint)).join('') })
}

async function follow(cli: Cli, flags: Flags, agent: string): Promise<void> {
  const paint = createPaint(cli.io.out)
  const pages = followPages({
    connect: () => connectDaemon(cli, flags),
    fetch: (call, after): Promise<Page> =>
      call.events(
        after === undefined
          ? { agent, limit: flags.lines }
          : { agent, after, limit: 500, wait_seconds: FOLLOW_WAIT_SECONDS },
      ),
    onGap: sayGap(cli),
  })
  for await (const { events } of pages) {
    for (const event of events) {
      if (flags.json) showJsonLine(cli, event)
      else cli.io.out.write(eventText(event, paint))
    }
  }
}

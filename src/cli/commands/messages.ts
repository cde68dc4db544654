import { type Command, Option } from 'commander'
import type { hostOps } from '../../wire/host-ops.ts'
import type { Output } from '../../wire/op.ts'
import { MessageState } from '../../wire/things.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { connectDaemon, withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { sayDemo } from '../demo-talk.ts'
import { FOLLOW_WAIT_SECONDS, followPages } from '../follow.ts'
import { sayGap } from '../follow-talk.ts'
import { createMessageFlow } from '../message-flow.ts'
import { messageTable } from '../message-table.ts'
import { createPaint } from '../paint.ts'
import { show, showJsonLine } from '../show.ts'
import { sayUndecodable } from '../undecodable.ts'

type Flags = GlobalFlags & { follow?: boolean; agent?: string; state?: MessageState; lines: number; quiet?: boolean }
type Page = Output<(typeof hostOps)['messages']>

export const addMessages = (program: Command, cli: Cli): Command =>
  program
    .command('messages')
    .description('List the newest messages, newest last, or follow what becomes of them.')
    .option('-f, --follow', 'go on with every change, until interrupted')
    .option('--agent <agent>', 'only to or from this agent, or operator')
    .addOption(new Option('--state <state>', 'only in this state').choices(MessageState.options))
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 1000), 50)
    .option('-q, --quiet', 'ids only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<Flags>(command)
      await sayDemo(cli, flags)
      await (flags.follow ? follow(cli, flags) : list(cli, flags))
    })

const filterOf = ({ agent, state, lines }: Flags) => ({ agent, state, limit: lines })

async function list(cli: Cli, flags: Flags): Promise<void> {
  const page = await withDaemon(cli, flags, (call) => call.messages(filterOf(flags)))
  sayUndecodable(cli, page.errors)
  const { out, now } = cli.io
  show(cli, flags, {
    data: page.messages,
    ids: page.messages.map(({ id }) => id),
    text: () => messageTable(page.messages, { paint: createPaint(out), now: now(), columns: out.columns() }),
  })
}

async function follow(cli: Cli, flags: Flags): Promise<void> {
  const { out, now } = cli.io
  const line = createMessageFlow({ paint: createPaint(out), columns: out.columns, now })
  const pages = followPages({
    connect: () => connectDaemon(cli, flags),
    fetch: (call, after): Promise<Page> =>
      call.messages({ ...filterOf(flags), ...(after !== undefined && { after, wait_seconds: FOLLOW_WAIT_SECONDS }) }),
    onGap: sayGap(cli),
  })
  for await (const page of pages) {
    sayUndecodable(cli, page.errors)
    for (const message of page.messages) {
      if (flags.json) showJsonLine(cli, message)
      else out.write(flags.quiet ? `${message.id}\n` : line(message))
    }
  }
}

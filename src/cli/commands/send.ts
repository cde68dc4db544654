import { randomUUID } from 'node:crypto'
import { text as readText } from 'node:stream/consumers'
import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { say, show } from '../show.ts'

export const addSend = (program: Command, cli: Cli): Command =>
  program
    .command('send')
    .description(hostOps.send.about)
    .argument('<to>', 'an agent, manager, or * for every agent')
    .argument('<text>', 'what to say; - reads it from stdin')
    .option('--reply-to <id>', 'the message that this answers', wholeNumber(1))
    .option('--key <key>', 'a second send with the same key gives the id of the first')
    .option('-q, --quiet', 'ids only')
    .action(async (to: string, text: string, _, command: Command) => {
      const flags = flagsOf<{ quiet?: boolean; replyTo?: number; key?: string }>(command)
      const body = text === '-' ? await readStdin(cli) : text
      const { id, ids } = await withDaemon(cli, flags, (call) =>
        call.send({ to, body, reply_to: flags.replyTo, key: flags.key ?? randomUUID() }),
      )
      show(cli, flags, {
        data: { id, ids },
        ids,
        text: () => `${ids.map((one) => `#${one}`).join(' ')} queued for ${to === '*' ? 'every agent' : to}\n`,
      })
    })

async function readStdin(cli: Cli): Promise<string> {
  if (cli.io.stdin.isTTY) say(cli, 'hive: type the message; Ctrl-D on an empty line sends it')
  return (await readText(cli.io.stdin)).replace(/\n$/, '')
}

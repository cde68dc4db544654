import { Argument, type Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import type { Message } from '../../wire/things.ts'
import { columns } from '../cells.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { stateText } from '../message-table.ts'
import { createPaint, MESSAGE_STYLE, type Paint } from '../paint.ts'
import { printable, printableLine } from '../printable.ts'
import { show } from '../show.ts'
import { dateText, spanText } from '../time-text.ts'

export const addMessage = (program: Command, cli: Cli): Command =>
  program
    .command('message')
    .description(hostOps.message.about)
    .addArgument(new Argument('<id>', 'number of the message').argParser(wholeNumber(1)))
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf(command)
      const { message } = await withDaemon(cli, flags, (call) => call.message({ id }))
      show(cli, flags, { data: message, text: () => messageText(message, createPaint(cli.io.out)) })
    })

function messageText(message: Message, paint: Paint): string {
  const { sentAt, doneAt, attempt, failures, rootId, hops, replyTo, error } = message
  const failed = failures === 0 ? '' : `, ${failures} ${failures === 1 ? 'failure' : 'failures'}`
  const chain = hops === 0 ? '' : `hop ${hops} of the chain of #${rootId}`
  const facts = [
    ['message', paint('bold', `#${message.id}`)],
    ['from', message.from],
    ['to', message.to],
    ['state', `${paint(MESSAGE_STYLE[message.state], stateText(message))}, attempt ${attempt}${failed}`],
    ['error', printableLine(error ?? '')],
    ['sent', dateText(sentAt)],
    ['ended', doneAt === null ? '' : `${dateText(doneAt)}, after ${spanText(doneAt - sentAt)}`],
    ['chain', chain],
    ['answers', replyTo === null ? '' : `#${replyTo}`],
  ]
  const body = printable(message.body)
  return `${columns(facts.filter(([, value]) => value !== ''))}\n${body}${body.endsWith('\n') ? '' : '\n'}`
}

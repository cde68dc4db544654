import { Argument, type Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { show } from '../show.ts'

export const addCancelQuestion = (program: Command, cli: Cli): Command =>
  program
    .command('cancel-question')
    .description(hostOps.cancel_question.about)
    .addArgument(new Argument('<id>', 'number of the question').argParser(wholeNumber(1)))
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf(command)
      const { question } = await withDaemon(cli, flags, (call) => call.cancel_question({ id }))
      show(cli, flags, { data: question, text: () => `question ${id} is cancelled; ${question.asker} is told so\n` })
    })

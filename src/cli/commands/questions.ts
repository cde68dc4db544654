import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { createPaint } from '../paint.ts'
import { questionText } from '../question-text.ts'
import { show } from '../show.ts'
import { sayUndecodable } from '../undecodable.ts'

type Flags = { all?: boolean; agent?: string; lines: number; quiet?: boolean }

export const addQuestions = (program: Command, cli: Cli): Command =>
  program
    .command('questions')
    .description(hostOps.questions.about)
    .option('--all', 'also those that have ended')
    .option('--agent <agent>', 'only of this agent')
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 1000), 200)
    .option('-q, --quiet', 'numbers only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<Flags>(command)
      const { all, agent, lines: limit } = flags
      const { questions, errors } = await withDaemon(cli, flags, (call) => call.questions({ all, agent, limit }))
      sayUndecodable(cli, errors)
      const look = { paint: createPaint(cli.io.out), now: cli.io.now() }
      show(cli, flags, {
        data: questions,
        ids: questions.map(({ id }) => id),
        text: () =>
          questions.map((question) => questionText(question, look)).join('\n') ||
          `no agent ${all ? 'has asked' : 'asks'} anything\n`,
      })
    })

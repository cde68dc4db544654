import { text as readText } from 'node:stream/consumers'
import { Argument, type Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import type { Question } from '../../wire/questions.ts'
import { ask, assertTerminal } from '../ask.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { type HostClient, withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { createPaint } from '../paint.ts'
import { printableLine } from '../printable.ts'
import { questionText } from '../question-text.ts'
import { say, show } from '../show.ts'

type Flags = { option?: number[] }

const collectNumbers = (text: string, before: number[] | undefined): number[] => [
  ...(before ?? []),
  wholeNumber(1)(text),
]
/** What is typed where options are shown: their numbers. */
const NUMBERS = /^\d+(\s*[,\s]\s*\d+)*$/

export const addAnswer = (program: Command, cli: Cli): Command =>
  program
    .command('answer')
    .description(hostOps.answer.about)
    .addArgument(new Argument('<id>', 'number of the question').argParser(wholeNumber(1)))
    .argument('[text]', 'the answer; - reads it from stdin; asked for on a terminal')
    .option('--option <number>', 'one of its options, before the text if there is one (repeatable)', collectNumbers)
    .action(async (id: number, text: string | undefined, _, command: Command) => {
      const flags = flagsOf<Flags>(command)
      const { option: numbers = [] } = flags
      const isAsked = text === undefined && numbers.length === 0
      if (isAsked) assertTerminal(cli, 'answer', `hive answer ${id} '<text>', or --option <number>`)
      const said = text === '-' ? await readStdin(cli) : (text ?? '')
      const { question } = await withDaemon(cli, flags, async (call) => {
        const answer =
          isAsked || numbers.length > 0
            ? await composeAnswer(cli, await findOpen(call, id), { numbers, said, isAsked })
            : said
        return call.answer({ id, answer })
      })
      const words = printableLine(question.answer ?? '')
      show(cli, flags, { data: question, text: () => `question ${id} is answered: ${words}\n` })
    })

async function readStdin(cli: Cli): Promise<string> {
  if (cli.io.stdin.isTTY) say(cli, 'hive: type the answer; Ctrl-D on an empty line sends it')
  return (await readText(cli.io.stdin)).replace(/\n$/, '')
}

async function findOpen(call: HostClient, id: number): Promise<Question> {
  const { questions } = await call.questions({ limit: 1000 })
  const found = questions.find((question) => question.id === id)
  if (found) return found
  throw new HiveError('not_found', `no question ${id} is open`, { hint: 'hive questions --all lists those that were' })
}

interface Said {
  readonly numbers: readonly number[]
  readonly said: string
  readonly isAsked: boolean
}

async function composeAnswer(cli: Cli, question: Question, { numbers, said, isAsked }: Said): Promise<string> {
  if (!isAsked) return [...optionsOf(question, numbers), ...(said === '' ? [] : [said])].join(', ')
  const typed = await askAnswer(cli, question)
  return isChoice(question, typed) ? optionsOf(question, typed.split(/[,\s]+/).map(Number)).join(', ') : typed
}

async function askAnswer(cli: Cli, question: Question): Promise<string> {
  cli.io.err.write(`${questionText(question, { paint: createPaint(cli.io.err), now: cli.io.now() })}\n`)
  const what = question.options.length > 0 ? 'Answer, or number of an option: ' : 'Answer: '
  const typed = (await ask(cli, what))?.trim()
  if (!typed) throw new HiveError('cancelled', 'nothing was answered')
  return typed
}

/** Whether what was typed names options; a number that is none of them is an answer like any other. */
const isChoice = ({ options }: Question, typed: string): boolean =>
  NUMBERS.test(typed) && typed.split(/[,\s]+/).every((number) => options[Number(number) - 1] !== undefined)

/** Throws `bad_input` when there is no such option, or only one may be chosen. */
function optionsOf({ id, options, multi }: Question, numbers: readonly number[]): string[] {
  if (numbers.length > 1 && !multi) throw new HiveError('bad_input', `question ${id} takes one option only`)
  return numbers.map((number) => {
    const option = options[number - 1]
    if (option !== undefined) return option
    throw new HiveError('bad_input', `question ${id} has no option ${number}`, {
      hint: options.length > 0 ? `it has 1 to ${options.length}: hive questions` : 'it has none: answer in your words',
    })
  })
}

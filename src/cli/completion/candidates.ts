import type { Command, Option } from 'commander'
import type { GlobalFlags } from '../cli.ts'

export interface Candidate {
  readonly value: string
  /** One line for the shells that show it. */
  readonly about: string
}

/** What the daemon knows for the argument, or the long flag, `what` of a command. */
export type FindLive = (command: string, what: string, flags: GlobalFlags) => Promise<Candidate[]>

/** What can stand in the place of the last word; the words before it are what was typed after `hive`. */
export async function findCandidates(
  program: Command,
  words: readonly string[],
  findLive: FindLive,
): Promise<Candidate[]> {
  const current = words.at(-1) ?? ''
  const place = findPlace(program, words.slice(0, -1))
  const found = await candidatesAt(place, current, program, findLive)
  return found.filter(({ value }) => value.startsWith(current))
}

interface Place {
  readonly command: Command
  /** How many arguments the command has been given. */
  readonly given: number
  /** The option whose value comes next. */
  readonly pending: Option | undefined
  readonly flags: GlobalFlags
}

/** Follows the words into the tree of commands. */
function findPlace(program: Command, words: readonly string[]): Place {
  let command = program
  let given = 0
  let pending: Option | undefined
  const flags: Record<string, string> = {}
  for (const word of words) {
    if (pending) {
      flags[pending.attributeName()] = word
      pending = undefined
    } else if (word.startsWith('-')) {
      const option = [...command.options, ...program.options].find(({ long, short }) => word === long || word === short)
      pending = option && (option.required || option.optional) ? option : undefined
    } else {
      const inner = command.commands.find((one) => one.name() === word)
      if (inner) command = inner
      // `help` takes the name of a command, as `hive` does.
      else if (command !== program || word !== 'help') given += 1
    }
  }
  return { command, given, pending, flags: { stateDir: flags.stateDir, runDir: flags.runDir } }
}

async function candidatesAt(
  { command, given, pending, flags }: Place,
  current: string,
  program: Command,
  findLive: FindLive,
): Promise<Candidate[]> {
  if (pending) return pending.argChoices?.map(plain) ?? (await findLive(command.name(), pending.long ?? '', flags))
  if (current.startsWith('-')) return optionsOf(command, program)
  if (command.commands.length > 0) return given > 0 ? [] : command.createHelp().visibleCommands(command).map(ofCommand)
  const last = command.registeredArguments.at(-1)
  const argument = command.registeredArguments[given] ?? (last?.variadic ? last : undefined)
  if (!argument) return []
  return argument.argChoices?.map(plain) ?? (await findLive(command.name(), argument.name(), flags))
}

const plain = (value: string): Candidate => ({ value, about: '' })

const ofCommand = (command: Command): Candidate => ({ value: command.name(), about: command.description() })

function optionsOf(command: Command, program: Command): Candidate[] {
  const options = command === program ? program.options : [...command.options, ...program.options]
  return [...options, command.createHelp().visibleOptions(command).at(-1)].flatMap((option) =>
    option?.long && !option.hidden ? [{ value: option.long, about: option.description }] : [],
  )
}

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
  const before = words.slice(0, -1)
  const current = words.at(-1) ?? ''
  const place = findPlace(program, before)
  const { name, value } = splitOption(current)
  if (value !== undefined) {
    const pending = optionOf(place.command, program, name)
    const found = pending ? await candidatesAt({ ...place, pending }, value, program, findLive) : []
    return startingWith(found, value).map((one) => ({ ...one, value: `${name}=${one.value}` }))
  }
  // To bash the = of --option=value is a word of its own.
  const typed = current === '=' && place.pending ? '' : current
  return startingWith(await candidatesAt(place, typed, program, findLive), typed)
}

const startingWith = (found: Candidate[], typed: string): Candidate[] =>
  found.filter(({ value }) => value.startsWith(typed))

/** `--option=value` in its parts; without a value for anything else. */
function splitOption(word: string): { name: string; value: string | undefined } {
  const at = word.startsWith('--') ? word.indexOf('=') : -1
  return at === -1 ? { name: word, value: undefined } : { name: word.slice(0, at), value: word.slice(at + 1) }
}

/** The option of this name, when it takes a value. */
function optionOf(command: Command, program: Command, name: string): Option | undefined {
  const found = [...command.options, ...program.options].find(({ long, short }) => name === long || name === short)
  return found && (found.required || found.optional) ? found : undefined
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
      if (word === '=') continue
      flags[pending.attributeName()] = word
      pending = undefined
    } else if (word.startsWith('-')) {
      const { name, value } = splitOption(word)
      const option = optionOf(command, program, name)
      if (option && value !== undefined) flags[option.attributeName()] = value
      else pending = option
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

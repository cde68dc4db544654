/** What can be typed instead of a message; each does what the command of that name does. */
export const SLASH_COMMANDS = {
  cancel: { takes: '', about: 'interrupt the turn' },
  compact: { takes: '', about: 'shorten the context' },
  'new-session': { takes: '', about: 'begin a fresh session; notes stay' },
  clear: { takes: '', about: 'empty the view; nothing is lost' },
  model: { takes: '[name]', about: 'show or set the model; default returns to the usual' },
  login: { takes: '', about: 'log it in' },
  pause: { takes: '', about: 'deliver nothing more' },
  resume: { takes: '', about: 'let it go on' },
  restart: { takes: '', about: 'stop it after its turn, and start it' },
  rebuild: { takes: '', about: 'put it on what is current' },
  kill: { takes: '', about: 'stop it after its turn' },
  help: { takes: '', about: 'list the commands' },
} as const satisfies Record<string, { takes: string; about: string }>
export type SlashCommand = keyof typeof SLASH_COMMANDS
/** Those that change what is shown, and nothing else. */
type ViewCommand = 'clear' | 'help'

const ALL = Object.keys(SLASH_COMMANDS)
  .map((name) => `/${name}`)
  .join(' ')

/** What a line in the composer is. No slash line is ever sent as a message. */
export type Line =
  | { readonly is: 'nothing' }
  | { readonly is: 'message'; readonly body: string }
  | { readonly is: 'command'; readonly command: Exclude<SlashCommand, ViewCommand>; readonly argument: string }
  | { readonly is: 'view'; readonly command: ViewCommand }
  | { readonly is: 'wrong'; readonly problem: string }

export function parseLine(text: string): Line {
  const body = text.trim()
  if (body === '') return { is: 'nothing' }
  if (!body.startsWith('/')) return { is: 'message', body }
  const [, word = '', argument = ''] = /^\/(\S*)\s*(.*)$/s.exec(body) ?? []
  if (!isCommand(word)) return { is: 'wrong', problem: `there is no command /${word}; there are ${ALL}` }
  if (argument !== '' && SLASH_COMMANDS[word].takes === '') {
    return { is: 'wrong', problem: `/${word} takes nothing more` }
  }
  if (word === 'clear' || word === 'help') return { is: 'view', command: word }
  return { is: 'command', command: word, argument }
}

/** The commands that a text may become; none once it has more than the word. */
export function suggest(text: string): readonly SlashCommand[] {
  const word = /^\/(\S*)$/.exec(text)?.[1]
  if (word === undefined) return []
  return (Object.keys(SLASH_COMMANDS) as SlashCommand[]).filter((command) => command.startsWith(word))
}

const isCommand = (word: string): word is SlashCommand => Object.hasOwn(SLASH_COMMANDS, word)

import { z } from 'zod'

const BashInput = z.looseObject({ command: z.string() })

/** More than one command, or more than its words say. */
const SHELL_SYNTAX = /[;&|<>(){}[\]$`\\*?~!#^\n\r]/
/** They start whatever stands behind them: a pattern of one would allow everything. */
const STARTERS = new Set(
  [
    'sh bash dash zsh fish ksh busybox env exec eval source . command builtin sudo doas su nohup nice setsid timeout time',
    'xargs parallel watch script ssh docker podman nsenter unshare bwrap chroot python python3 node deno bun perl ruby php awk',
  ].flatMap((words) => words.split(' ')),
)
const PROGRAM = /^[a-zA-Z0-9_./+-]+$/
const SUBCOMMAND = /^[a-zA-Z][a-zA-Z0-9:_-]*$/
/** Of a pattern in `bash` of agent.json. */
const MAX_PATTERN = 256

/**
 * A pattern for `bash` of agent.json that allows a call of a tool and the like: its program, with the subcommand if it has one.
 * Null where none would allow only the like: another tool, shell syntax, a program that starts others.
 */
export function patternFor(tool: string, input: string): string | null {
  if (tool !== 'Bash') return null
  const command = commandOf(input)?.trim()
  if (!command || SHELL_SYNTAX.test(command)) return null
  const [program = '', first, ...more] = command.split(/[ \t]+/)
  const name = program.slice(program.lastIndexOf('/') + 1)
  if (!PROGRAM.test(program) || program.startsWith('-') || STARTERS.has(name)) return null
  const isPlain = first !== undefined && SUBCOMMAND.test(first)
  const words = isPlain ? `${program} ${first}` : program
  const pattern = first === undefined || (isPlain && more.length === 0) ? words : `${words} *`
  return pattern.length <= MAX_PATTERN ? pattern : null
}

/** Undefined where the input is cut, or no input of Bash. */
function commandOf(input: string): string | undefined {
  try {
    return BashInput.safeParse(JSON.parse(input)).data?.command
  } catch {
    return undefined
  }
}

/** Whether what `pattern` allows is allowed by one of `patterns` already. */
export const isCovered = (patterns: readonly string[], pattern: string): boolean =>
  patterns.some((one) => {
    const words = one.match(/^(.+?)(?: |:)\*$/)?.[1]
    return (
      one === '*' || one === pattern || (words !== undefined && (pattern === words || pattern.startsWith(`${words} `)))
    )
  })

import { spawnSync } from 'node:child_process'
import type { Cli } from './cli.ts'

type Argv = readonly [program: string, ...args: string[]]

/** What makes git give its pager to a shell. */
const FOR_A_SHELL = /[|&;<>()$`\\"'*?[#~=%]/
/** Of a shell that did not find the program. */
const NOT_FOUND = 127

/** Shows a text through a pager where stdout is a terminal; writes it where it is none, or no pager can be had. */
export function showPaged({ io: { out }, env }: Pick<Cli, 'io' | 'env'>, text: string): void {
  const pagers = out.isTTY ? choosePagers(env, out.colors) : []
  // Blocking: a Ctrl-C is for the pager alone.
  const isShown = pagers.some(([program, ...args]) => {
    const stdio = ['pipe', 'inherit', 'inherit'] as const
    const { error, status } = spawnSync(program, args, { input: text, stdio: [...stdio], env: { LESS: 'FRX', ...env } })
    // A pager that is left early does not read all of it.
    const isStarted = !error || (error as NodeJS.ErrnoException).code === 'EPIPE'
    return isStarted && status !== NOT_FOUND
  })
  if (!isShown) out.write(text)
}

/**
 * The pagers to try, best first: what PAGER says, else delta where colours are wanted, else less. `cat` and nothing mean none.
 * PAGER is the operator's own and may be a line for a shell, as for git; the text of agents is its input only.
 */
export function choosePagers({ PAGER }: NodeJS.ProcessEnv, colors: boolean): Argv[] {
  if (PAGER === undefined) return [...(colors ? [['delta'] as const] : []), ['less', '-FRX']]
  if (PAGER.trim() === '' || PAGER === 'cat') return []
  if (FOR_A_SHELL.test(PAGER)) return [['sh', '-c', PAGER]]
  const [program = '', ...args] = PAGER.trim().split(/\s+/)
  return [[program, ...args]]
}

import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { HiveError } from '../wire/errors.ts'
import type { Cli } from './cli.ts'

/** Throws `bad_input` where nobody can be asked; `hint` names what to pass instead. */
export function assertTerminal({ io: { stdin, err } }: Cli, command: string, hint: string): void {
  if (stdin.isTTY && err.isTTY) return
  throw new HiveError('bad_input', `${command} asks before it acts, and there is no terminal to ask on`, { hint })
}

/** Asks on the terminal. Gives the line that was typed, shown unless `hidden`; undefined when the input ends instead. */
export async function ask({ io }: Cli, question: string, { hidden = false } = {}): Promise<string | undefined> {
  const { stdin, err } = io
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!hidden) err.write(String(chunk))
      done()
    },
  })
  // As a terminal readline takes the echo over, and what it echoes goes nowhere then; before that nobody may type.
  using asking = createInterface({ input: stdin, output, terminal: hidden, historySize: 0 })
  if (hidden) err.write(question)
  const closed = once(asking, 'close').then(() => undefined)
  const typed = asking.question(hidden ? '' : question).catch(nothingAtAbort)
  const answer = await Promise.race([typed, closed])
  if (hidden) err.write('\n')
  return answer
}

/** How readline says that it took a Ctrl-C or Ctrl-D from the terminal. */
function nothingAtAbort(error: unknown): undefined {
  if (!(error instanceof Error) || error.name !== 'AbortError') throw error
}

/** Asks whether to go on, default No. Throws `cancelled` with `refusal` at a No, or when the input ends. */
export async function confirm(cli: Cli, question: string, refusal: string): Promise<void> {
  const answer = await ask(cli, `${question} [y/N] `)
  if (!/^y(es)?$/i.test(answer?.trim() ?? '')) throw new HiveError('cancelled', refusal)
}

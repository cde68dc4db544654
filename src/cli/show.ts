import type { Cli, GlobalFlags } from './cli.ts'
import { jsonText } from './printable.ts'

/** The three forms of what a command has to say on stdout. */
export interface View {
  /** With `--json`: a documented shape. */
  readonly data: unknown
  /** With `-q`. */
  readonly ids?: readonly (string | number)[]
  /** For people; ends with a newline unless it is empty. */
  readonly text: () => string
}

/** Writes the form that was asked for. */
export function show({ io }: Cli, flags: GlobalFlags & { quiet?: boolean }, view: View): void {
  if (flags.json) io.out.write(`${jsonText(view.data, 2)}\n`)
  else if (flags.quiet && view.ids) io.out.write(view.ids.map((id) => `${id}\n`).join(''))
  else io.out.write(view.text())
}

/** Writes one row of a stream of JSON lines. */
export const showJsonLine = ({ io }: Cli, row: unknown): void => io.out.write(`${jsonText(row)}\n`)

/** Says something beside the data. */
export const say = ({ io }: Cli, text: string): void => io.err.write(`${text}\n`)

/** Whether somebody sits there who wants to be told more than what was asked for. */
export const isForPeople = ({ io }: Cli, { json, quiet }: GlobalFlags & { quiet?: boolean }): boolean =>
  io.err.isTTY && !json && !quiet

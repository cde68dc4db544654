import type { Undecodable } from '../wire/undecodable.ts'
import type { Cli } from './cli.ts'
import { printableLine } from './printable.ts'
import { say } from './show.ts'

/** One line about a row of the store that cannot be read. */
export const undecodableText = ({ table, id, problem }: Undecodable): string =>
  `row ${printableLine(id)} of ${printableLine(table)} cannot be read: ${printableLine(problem)}`

/** Says beside the data which rows are missing in it. */
export const sayUndecodable = (cli: Cli, rows: readonly Undecodable[]): void => {
  for (const row of rows) say(cli, `hive: warning: ${undecodableText(row)}`)
}

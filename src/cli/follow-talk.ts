import type { Cli } from './cli.ts'
import { say } from './show.ts'

const TALK = {
  lost: 'hive: the daemon is away; waiting for it',
  back: 'hive: the daemon is back',
  anew: 'hive: this is a new hive; beginning with its newest',
} as const

/** Says what happens to something that is followed. */
export const sayGap =
  (cli: Cli) =>
  (what: keyof typeof TALK): void =>
    say(cli, TALK[what])

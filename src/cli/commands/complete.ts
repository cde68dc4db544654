import { type Command, Option } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { findCandidates } from '../completion/candidates.ts'
import { findLive } from '../completion/live.ts'
import { COMPLETION_SCRIPTS, isShell } from '../completion/scripts.ts'

const SHELLS = Object.keys(COMPLETION_SCRIPTS).map((value) => ({ value, about: '' }))

export const addComplete = (program: Command, cli: Cli): Command =>
  program
    .command('complete')
    .description('Print what makes bash, zsh or fish complete commands, options and live names.')
    .usage('bash|zsh|fish')
    .argument('<words...>', 'the shell; after -- the words of a line to complete')
    // So that the scripts can complete a first word that is the name of a shell.
    .addOption(new Option('--words').hideHelp())
    .action(async (words: string[], _, command: Command) => {
      const { out } = cli.io
      const [shell] = words
      const mayBeShell = !flagsOf<{ words?: boolean }>(command).words && words.length === 1
      if (mayBeShell && isShell(shell)) {
        out.write(COMPLETION_SCRIPTS[shell])
        return
      }
      const found = await findCandidates(program, words, async (name, what, flags) =>
        name === 'complete' ? SHELLS : findLive(cli, name, what, flags),
      )
      if (mayBeShell && found.length === 0) {
        throw new HiveError('bad_input', `there is no completion for ${shell}`, { hint: 'bash, zsh or fish' })
      }
      out.write(found.map(({ value, about }) => `${value}\t${about}\n`).join(''))
    })

import type { Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { SubAgentName } from '../../wire/names.ts'
import { ask, assertTerminal } from '../ask.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { sayWhileWaiting } from '../patience.ts'
import { say, show } from '../show.ts'

export const addPurge = (program: Command, cli: Cli): Command =>
  program
    .command('purge')
    .description('Remove for good what is left of a destroyed agent. Asks for its name once more.')
    .argument('<name>', 'name of an agent that was destroyed')
    .option('--confirm <name>', 'its name once more, instead of typing it')
    .action(async (name: string, _, command: Command) => {
      const flags = flagsOf<{ confirm?: string }>(command)
      checkName(name)
      const confirm = flags.confirm ?? (await askName(cli, name))
      await withDaemon(cli, flags, (call) =>
        sayWhileWaiting(cli, flags, `what is left of ${name} to be removed`, call.purge({ name, confirm })),
      )
      show(cli, flags, { data: { name }, text: () => `nothing is left of ${name}\n` })
    })

/** Before anybody types a name in vain. Throws `bad_input`. */
function checkName(name: string): void {
  const { error } = SubAgentName.safeParse(name)
  if (error) throw new HiveError('bad_input', `${name} is no name of an agent: it ${error.issues[0]?.message}`)
}

/** Throws `cancelled` when something else is typed. */
async function askName(cli: Cli, name: string): Promise<string> {
  assertTerminal(cli, 'purge', `pass --confirm ${name}`)
  say(cli, `The notes, the login, the configuration and the history of ${name} go: there is no way back.`)
  const typed = (await ask(cli, `Type ${name} to go on: `))?.trim()
  if (typed !== name) throw new HiveError('cancelled', 'nothing was purged')
  return typed
}

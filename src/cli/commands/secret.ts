import { text as readText } from 'node:stream/consumers'
import type { Command } from 'commander'
import { SecretName } from '../../wire/agent-config.ts'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { ask } from '../ask.ts'
import { columns } from '../cells.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { createPaint } from '../paint.ts'
import { printableLine } from '../printable.ts'
import { show } from '../show.ts'
import { dateText } from '../time-text.ts'

/** The commands for the secrets that configurations refer to by name. */
export function addSecret(program: Command, cli: Cli): Command {
  const group = program.command('secret').description('Keep the secrets that configurations of agents name.')
  addSet(group, cli)
  addList(group, cli)
  addRemove(group, cli)
  return group
}

const addSet = (group: Command, cli: Cli): Command =>
  group
    .command('set')
    .description(`${hostOps.set_secret.about} Its value is read from stdin, or asked for.`)
    .argument('<name>', 'its name')
    .action(async (name: string, _, command: Command) => {
      const flags = flagsOf(command)
      checkName(name)
      const value = await readValue(cli, name)
      await withDaemon(cli, flags, (call) => call.set_secret({ name, value }))
      show(cli, flags, {
        data: { name },
        text: () => `${name} is kept; agents that use it have it from their next start on\n`,
      })
    })

const addList = (group: Command, cli: Cli): Command =>
  group
    .command('list')
    .description(hostOps.secrets.about)
    .option('-q, --quiet', 'names only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ quiet?: boolean }>(command)
      const { secrets } = await withDaemon(cli, flags, (call) => call.secrets({}))
      const titles = ['NAME', 'SET'].map((title) => createPaint(cli.io.out)('gray', title))
      show(cli, flags, {
        data: secrets,
        ids: secrets.map(({ name }) => name),
        text: () =>
          secrets.length === 0
            ? 'no secrets are kept; hive secret set <name> keeps one\n'
            : columns([titles, ...secrets.map(({ name, setAt }) => [printableLine(name), dateText(setAt)])]),
      })
    })

const addRemove = (group: Command, cli: Cli): Command =>
  group
    .command('remove')
    .description(hostOps.remove_secret.about)
    .argument('<name>', 'its name')
    .action(async (name: string, _, command: Command) => {
      const flags = flagsOf(command)
      await withDaemon(cli, flags, (call) => call.remove_secret({ name }))
      show(cli, flags, { data: { name }, text: () => `${name} is forgotten\n` })
    })

/** Before anybody types a secret in vain. Throws `bad_input`. */
function checkName(name: string): void {
  const { error } = SecretName.safeParse(name)
  if (error) throw new HiveError('bad_input', `${name} is no name of a secret: it ${error.issues[0]?.message}`)
}

/** From stdin, without the line end of its last line; never from argv, which everyone on the machine can see. */
async function readValue(cli: Cli, name: string): Promise<string> {
  const { stdin, err } = cli.io
  if (stdin.isTTY && !err.isTTY) {
    throw new HiveError('bad_input', 'there is no terminal to ask on', { hint: `hive secret set ${name} < file` })
  }
  const value = stdin.isTTY
    ? await ask(cli, `Value of ${name} (not shown): `, { hidden: true })
    : (await readText(stdin)).replace(/\r?\n$/, '')
  if (value === undefined) throw new HiveError('cancelled', 'nothing was set')
  if (value === '') {
    throw new HiveError('bad_input', 'the value is empty', { hint: `hive secret remove ${name} forgets it` })
  }
  return value
}

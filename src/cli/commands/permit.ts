import { Argument, type Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { type HostClient, withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { printableLine } from '../printable.ts'
import { say, show } from '../show.ts'

type Flags = { always?: string | true }

export const addPermit = (program: Command, cli: Cli): Command =>
  program
    .command('permit')
    .description(hostOps.permit.about)
    .addArgument(new Argument('<id>', 'number of the permission').argParser(wholeNumber(1)))
    .option(
      '--always [pattern]',
      'also propose to allow the like for good, with the pattern that it suggests or another; nothing is granted before that is approved',
    )
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf<Flags>(command)
      await withDaemon(cli, flags, async (call) => {
        const pattern = flags.always === true ? await suggestedPattern(call, id) : flags.always
        const { permission } = await call.permit({ id })
        const text = `permission ${id} is given, for this one use\n`
        if (pattern === undefined) return show(cli, flags, { data: { permission, approval: null }, text: () => text })
        // The agent goes on, whatever becomes of the proposal.
        if (!flags.json) say(cli, `hive: ${text.trimEnd()}`)
        const { approval } = await call.propose_permission({ id, pattern })
        show(cli, flags, {
          data: { permission, approval },
          text: () => `approval ${approval.id} proposes ${printableLine(pattern)}: hive approve ${approval.id}\n`,
        })
      })
    })

/** Throws `bad_input` where there is none, before anything is permitted. */
async function suggestedPattern(call: HostClient, id: number): Promise<string | undefined> {
  const { permissions } = await call.permissions({ limit: 1000 })
  const found = permissions.find((permission) => permission.id === id)
  if (found?.pattern !== null) return found?.pattern
  throw new HiveError('bad_input', `no pattern would allow only the like of permission ${id}`, {
    hint: `name one, --always '<pattern>', or permit this one use: hive permit ${id}`,
  })
}

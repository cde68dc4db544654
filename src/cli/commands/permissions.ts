import { Argument, type Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { createPaint } from '../paint.ts'
import { permissionText } from '../permission-text.ts'
import { show } from '../show.ts'
import { sayUndecodable } from '../undecodable.ts'

type Flags = { all?: boolean; agent?: string; lines: number; quiet?: boolean }

export const addPermissions = (program: Command, cli: Cli): Command =>
  program
    .command('permissions')
    .description(hostOps.permissions.about)
    .addArgument(new Argument('[id]', 'show only this one, with its whole input').argParser(wholeNumber(1)))
    .option('--all', 'also those that were decided')
    .option('--agent <agent>', 'only of this agent')
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 1000), 200)
    .option('-q, --quiet', 'numbers only')
    .action(async (id: number | undefined, _, command: Command) => {
      const flags = flagsOf<Flags>(command)
      if (id !== undefined) return showOne(cli, flags, id)
      const { all, agent, lines: limit } = flags
      const { permissions, errors } = await withDaemon(cli, flags, (call) => call.permissions({ all, agent, limit }))
      sayUndecodable(cli, errors)
      const look = { paint: createPaint(cli.io.out), now: cli.io.now() }
      show(cli, flags, {
        data: permissions,
        ids: permissions.map(({ id }) => id),
        text: () =>
          permissions.map((permission) => permissionText(permission, look)).join('\n') ||
          `no agent ${all ? 'has asked' : 'asks'} for a permission\n`,
      })
    })

async function showOne(cli: Cli, flags: GlobalFlags & Flags, id: number): Promise<void> {
  const { permission } = await withDaemon(cli, flags, (call) => call.permission({ id }))
  const look = { paint: createPaint(cli.io.out), now: cli.io.now(), isWhole: true }
  show(cli, flags, { data: permission, ids: [id], text: () => permissionText(permission, look) })
}

import type { Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { columns } from '../cells.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { createPaint } from '../paint.ts'
import { sayWhileWaiting } from '../patience.ts'
import { printableLine } from '../printable.ts'
import { show } from '../show.ts'

/** The commands for the sinks that tell the operator what waits. */
export function addNotify(program: Command, cli: Cli): Command {
  const group = program.command('notify').description('Try what tells you elsewhere that something waits for you.')
  group
    .command('test')
    .description(hostOps.notify_test.about)
    .action(async (_, command: Command) => {
      const flags = flagsOf(command)
      const { sinks } = await withDaemon(cli, flags, (call) =>
        sayWhileWaiting(cli, flags, 'the sinks to answer', call.notify_test({})),
      )
      const paint = createPaint(cli.io.out)
      show(cli, flags, {
        data: sinks,
        text: () =>
          sinks.length === 0
            ? 'the config file names no sinks; docs/needs.md says how\n'
            : columns(
                sinks.map(({ sink, problem }) => [
                  sink,
                  problem === null ? paint('green', 'took it') : paint('red', printableLine(problem)),
                ]),
              ),
      })
      const failed = sinks.filter(({ problem }) => problem !== null)
      if (failed.length > 0) throw new HiveError('unavailable', `${failed.length} of ${sinks.length} sinks failed`)
    })
  return group
}

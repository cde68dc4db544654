import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { columns } from '../cells.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { createPaint } from '../paint.ts'
import { sayWhileWaiting } from '../patience.ts'
import { printableLine } from '../printable.ts'
import { show } from '../show.ts'
import { sizeText } from '../size-text.ts'
import { spanText } from '../time-text.ts'

export const addTombstones = (program: Command, cli: Cli): Command =>
  program
    .command('tombstones')
    .description(hostOps.tombstones.about)
    .option('-q, --quiet', 'names only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ quiet?: boolean }>(command)
      const { tombstones } = await withDaemon(cli, flags, (call) =>
        sayWhileWaiting(cli, flags, 'their sizes', call.tombstones({})),
      )
      const titles = ['NAME', 'AGE', 'SIZE', 'LOGIN'].map((title) => createPaint(cli.io.out)('gray', title))
      const now = cli.io.now()
      show(cli, flags, {
        data: tombstones,
        ids: tombstones.map(({ name }) => name),
        text: () =>
          tombstones.length === 0
            ? 'nothing is left of destroyed agents\n'
            : columns([
                titles,
                ...tombstones.map(({ name, destroyedAt, bytes, hasLogin }) => [
                  printableLine(name),
                  destroyedAt === null ? '-' : spanText(now - destroyedAt),
                  bytes === null ? '?' : sizeText(bytes),
                  hasLogin ? 'kept' : '-',
                ]),
              ]),
      })
    })

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { sayWhileWaiting } from '../patience.ts'
import { show } from '../show.ts'
import { sizeText } from '../size-text.ts'

export const addBackup = (program: Command, cli: Cli): Command =>
  program
    .command('backup')
    .description(`${hostOps.backup.about} Without the notes and logins of agents: docs/operations.md.`)
    .argument('<directory>', 'a new directory, outside of the hive')
    .action(async (directory: string, _, command: Command) => {
      const flags = flagsOf(command)
      const written = await withDaemon(cli, flags, (call) =>
        sayWhileWaiting(cli, flags, 'the copy', call.backup({ directory: resolve(directory) })),
      )
      show(cli, flags, {
        data: written,
        text: () => `${written.directory} holds ${sizeText(written.bytes)}\n`,
      })
    })

import type { Command } from 'commander'
import { type Cli, flagsOf } from '../cli.ts'
import { addDaemonOptions, type DaemonFlags, settingsOf } from '../daemon-flags.ts'
import { printable } from '../printable.ts'
import { say } from '../show.ts'

export const addServe = (program: Command, cli: Cli): Command =>
  addDaemonOptions(
    program
      .command('serve')
      .description('Run the daemon as a service: it logs to stderr, and leaves its agents running.'),
  ).action(async (_, command: Command) => {
    const daemon = await cli.startDaemon(settingsOf(cli, flagsOf<DaemonFlags>(command)))
    for (const notice of daemon.notices) say(cli, `hive: ${printable(notice)}`)
    const forget = cli.io.onSignal(['SIGINT', 'SIGTERM'], () => void daemon.stop({ stopAgents: false }))
    try {
      await daemon.done
    } finally {
      forget()
    }
  })

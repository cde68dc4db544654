import type { Command } from 'commander'
import { type Cli, flagsOf } from '../cli.ts'
import { addDaemonOptions, type DaemonFlags, settingsOf } from '../daemon-flags.ts'
import { runDaemon } from '../run-daemon.ts'

export const addServe = (program: Command, cli: Cli): Command =>
  addDaemonOptions(
    program
      .command('serve')
      .description('Run the daemon as a service: it logs to stderr, and leaves its agents running.'),
  ).action(async (_, command: Command) => {
    const flags = flagsOf<DaemonFlags>(command)
    await runDaemon(cli, settingsOf(cli, flags), {
      signals: ['SIGINT', 'SIGTERM'],
      stopAgents: false,
      json: flags.json === true,
      goodbye: 'hive: stopping; agents run on',
      leaving: 'hive: leaving at once',
    })
  })

import type { Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { type Cli, flagsOf, type GlobalFlags, type RunningDaemon } from '../cli.ts'
import { connectDaemon, isUnreachable, withDaemon } from '../daemon-client.ts'
import { addDaemonOptions, type DaemonFlags, settingsOf } from '../daemon-flags.ts'
import { EXIT } from '../exit-code.ts'
import { createPaint } from '../paint.ts'
import { printable } from '../printable.ts'
import { say } from '../show.ts'
import { bannerText } from '../up-banner.ts'
import { showFlow } from '../up-flow.ts'

export const addUp = (program: Command, cli: Cli): Command =>
  addDaemonOptions(
    program
      .command('up')
      .description('Run a hive in the foreground and show its messages; Ctrl-C stops it and its agents.'),
  ).action(async (_, command: Command) => {
    const flags = flagsOf<DaemonFlags>(command)
    await assertNoneServes(cli, flags)
    // The screen is for the flow: what the log says of everyday things is for a service.
    const daemon = await cli.startDaemon(settingsOf(cli, flags, { logLevel: 'warn' }))
    const forget = stopOnSignal(cli, daemon)
    try {
      await showHive(cli, flags, daemon)
      await daemon.done
      say(cli, 'hive: stopped')
    } catch (error) {
      await daemon.stop({ stopAgents: true })
      throw error
    } finally {
      forget()
    }
  })

/** The daemon itself refuses a second one; this says what to do instead. */
async function assertNoneServes(cli: Cli, flags: GlobalFlags): Promise<void> {
  let pid: number
  try {
    pid = (await withDaemon(cli, flags, (call) => call.ping({}))).pid
  } catch (error) {
    if (isUnreachable(error)) return
    throw error
  }
  throw new HiveError('conflict', `this hive runs already (pid ${pid})`, {
    hint: '`hive messages -f` shows its flow; another hive needs another --state-dir',
  })
}

/** The first signal stops the agents and then the daemon; the second one leaves at once. */
function stopOnSignal(cli: Cli, daemon: RunningDaemon): () => void {
  let isStopping = false
  return cli.io.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], () => {
    if (isStopping) {
      say(cli, 'hive: leaving at once; agents may still run, `hive up` finds them again')
      cli.io.exit(EXIT.interrupted)
      return
    }
    isStopping = true
    say(cli, '\nhive: stopping the agents, turns get 30 s to end; Ctrl-C again leaves at once')
    void daemon.stop({ stopAgents: true })
  })
}

/** Banner, then flow until the daemon ends. */
async function showHive(cli: Cli, flags: GlobalFlags, daemon: RunningDaemon): Promise<void> {
  const { out } = cli.io
  for (const notice of daemon.notices) say(cli, `hive: ${printable(notice)}`)
  try {
    await using connection = await connectDaemon(cli, flags)
    const status = await connection.call.status({})
    if (!flags.json) out.write(bannerText(status, createPaint(out)))
    await showFlow(cli, flags, connection.call)
  } catch (error) {
    // It was told to stop meanwhile.
    if (!isUnreachable(error)) throw error
  }
}

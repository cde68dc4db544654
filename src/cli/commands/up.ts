import type { Command } from 'commander'
import { hivePaths } from '../../kit/settings.ts'
import { HiveError } from '../../wire/errors.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { connectDaemon, type HostClient, isUnreachable, withDaemon } from '../daemon-client.ts'
import { addDaemonOptions, type DaemonFlags, settingsOf } from '../daemon-flags.ts'
import { reportFailure } from '../failure.ts'
import { hasScreen, openBrowser } from '../open-browser.ts'
import { createPaint } from '../paint.ts'
import { waitPatiently } from '../patience.ts'
import { runDaemon } from '../run-daemon.ts'
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
    const settings = settingsOf(cli, flags, { logLevel: 'warn' })
    const steps = createSteps(cli)
    await runDaemon(cli, settings, {
      signals: ['SIGINT', 'SIGTERM', 'SIGHUP'],
      stopAgents: true,
      json: flags.json === true,
      hello: flags.json ? undefined : 'hive: starting …',
      goodbye: '\nhive: stopping the agents, turns get 30 s to end; Ctrl-C again leaves at once',
      leaving: 'hive: leaving at once; agents may still run, `hive up` finds them again',
      onStep: steps.next,
      use: async () => {
        steps.end()
        await showHive(cli, flags)
      },
    }).finally(steps.end)
    say(cli, 'hive: stopped')
  })

/** Tells of a step of the start when it takes its time. */
function createSteps(cli: Cli): { next: (step: string) => void; end: () => void } {
  let end = () => {}
  const next = (step: string) => {
    end()
    const ended = Promise.withResolvers<void>()
    end = ended.resolve
    void waitPatiently(ended.promise, () => say(cli, `hive: still starting: ${step}`))
  }
  return { next, end: () => end() }
}

const PING_MS = 5_000

/** The daemon itself refuses a second one; this says what to do instead. */
async function assertNoneServes(cli: Cli, flags: GlobalFlags): Promise<void> {
  let pid: number
  try {
    pid = (await withDaemon(cli, flags, (call) => call.ping({}, { signal: AbortSignal.timeout(PING_MS) }))).pid
  } catch (error) {
    if (isUnreachable(error)) return
    if (!(error instanceof HiveError) || error.code !== 'cancelled') throw error
    throw new HiveError('unavailable', `a daemon of this hive is there and has not answered for ${PING_MS / 1000} s`, {
      hint: 'perhaps it was stopped with Ctrl-Z: `fg`, or kill -CONT, lets it go on',
      cause: error,
    })
  }
  throw new HiveError('conflict', `this hive runs already (pid ${pid})`, {
    hint: '`hive messages -f` shows its flow; another hive needs another --state-dir',
  })
}

/** Banner, then flow until the daemon ends. A view that fails ends nothing: agents are at work. */
async function showHive(cli: Cli, flags: DaemonFlags): Promise<void> {
  const { out } = cli.io
  try {
    await using connection = await connectDaemon(cli, flags)
    const status = await connection.call.status({})
    if (!flags.json) {
      const link = await findLink(connection.call)
      out.write(bannerText(status, link.url ?? link.problem, createPaint(out)))
      if (link.url && flags.open !== false && hasScreen(cli)) {
        await openBrowser(cli, link.url, hivePaths(flags, cli.env, cli.uid).runDir)
      }
    }
    await showFlow(cli, flags, connection.call)
  } catch (error) {
    // It was told to stop meanwhile.
    if (isUnreachable(error)) return
    reportFailure(error, cli.io, flags.json === true)
    say(cli, 'hive: the view failed; the hive runs on, Ctrl-C stops it')
  }
}

/** A dashboard that cannot be had now is tried again by the daemon, and ends nothing. */
async function findLink(call: HostClient): Promise<{ url: string } | { url?: undefined; problem: string }> {
  try {
    return await call.web_link({})
  } catch (error) {
    if (!(error instanceof HiveError) || error.code !== 'unavailable') throw error
    return { problem: `none yet: ${error.message}; \`hive open\` gives the link later` }
  }
}

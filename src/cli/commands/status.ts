import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { connectDaemon, isUnreachable, withDaemon } from '../daemon-client.ts'
import { reconnect } from '../follow.ts'
import { sayGap } from '../follow-talk.ts'
import { createPaint } from '../paint.ts'
import { show, showJsonLine } from '../show.ts'
import { type Status, statusText } from '../status-text.ts'

const WATCH_MS = 1000
/** Home, then whatever is below: what was scrolled away stays. */
const CLEAR = '\x1b[H\x1b[J'

type Flags = GlobalFlags & { watch?: boolean }

export const addStatus = (program: Command, cli: Cli): Command =>
  program
    .command('status')
    .description(hostOps.status.about)
    .option('-w, --watch', 'again every second, until interrupted')
    .action(async (_, command: Command) => {
      const flags = flagsOf<Flags>(command)
      if (flags.watch) await watch(cli, flags)
      else showStatus(cli, flags, await withDaemon(cli, flags, (call) => call.status({})))
    })

function showStatus(cli: Cli, flags: Flags, status: Status): void {
  const look = { paint: createPaint(cli.io.out), now: cli.io.now }
  show(cli, flags, { data: status, text: () => statusText(status, look) })
}

/** Shows it every second; waits for a daemon that went away. */
async function watch(cli: Cli, flags: Flags): Promise<never> {
  const onGap = sayGap(cli)
  const connect = () => connectDaemon(cli, flags)
  let connection = await connect()
  try {
    for (;;) {
      try {
        const status = await connection.call.status({})
        if (cli.io.out.isTTY && !flags.json) cli.io.out.write(CLEAR)
        if (flags.json) showJsonLine(cli, status)
        else showStatus(cli, flags, status)
        await sleep(WATCH_MS)
      } catch (error) {
        if (!isUnreachable(error)) throw error
        onGap('lost')
        connection = await reconnect(connect)
        onGap('back')
      }
    }
  } finally {
    connection.close()
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { createPaint } from '../paint.ts'
import { show, showJsonLine } from '../show.ts'
import { statusText } from '../status-text.ts'

const WATCH_MS = 1000
const CLEAR = '\x1b[H\x1b[2J\x1b[3J'

export const addStatus = (program: Command, cli: Cli): Command =>
  program
    .command('status')
    .description(hostOps.status.about)
    .option('-w, --watch', 'again every second')
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ watch?: boolean }>(command)
      const look = { paint: createPaint(cli.io.out), now: cli.io.now }
      await withDaemon(cli, flags, async (call) => {
        for (;;) {
          const status = await call.status({})
          if (flags.watch && flags.json) showJsonLine(cli, status)
          else {
            if (flags.watch && cli.io.out.isTTY) cli.io.out.write(CLEAR)
            show(cli, flags, { data: status, text: () => statusText(status, look) })
          }
          if (!flags.watch) return
          await sleep(WATCH_MS)
        }
      })
    })

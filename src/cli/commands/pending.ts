import type { Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { approvalTable } from '../approval-table.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { createPaint } from '../paint.ts'
import { show } from '../show.ts'
import { sayUndecodable } from '../undecodable.ts'

type Flags = { all?: boolean; agent?: string; lines: number; quiet?: boolean }

export const addPending = (program: Command, cli: Cli): Command =>
  program
    .command('pending')
    .description(hostOps.pending.about)
    .option('--all', 'also those that have ended')
    .option('--agent <agent>', 'only of this agent')
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 1000), 200)
    .option('-q, --quiet', 'numbers only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<Flags>(command)
      const { all, agent, lines: limit } = flags
      const { approvals, errors } = await withDaemon(cli, flags, (call) => call.pending({ all, agent, limit }))
      sayUndecodable(cli, errors)
      const { out, now } = cli.io
      const look = { paint: createPaint(out), now: now(), columns: out.columns() }
      show(cli, flags, {
        data: approvals,
        ids: approvals.map(({ id }) => id),
        text: () => (approvals.length === 0 ? emptyText(all) : approvalTable(approvals, look)),
      })
    })

const emptyText = (all = false): string =>
  all
    ? 'nothing was asked for yet; the manager does, and hive request-spawn <name>\n'
    : 'nothing waits for a decision; hive pending --all shows what was decided\n'

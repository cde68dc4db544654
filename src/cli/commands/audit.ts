import type { Command } from 'commander'
import type { AuditEntry } from '../../wire/approvals.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { headlineTable } from '../headline.ts'
import { createPaint } from '../paint.ts'
import { jsonText, printableLine } from '../printable.ts'
import { show } from '../show.ts'
import { dateText } from '../time-text.ts'
import { sayUndecodable } from '../undecodable.ts'

type Flags = { agent?: string; approval?: number; lines: number; quiet?: boolean }

const TITLES = ['ID', 'WHEN', 'WHO', 'DID', 'AGENT', 'APPROVAL', 'DETAIL']

export const addAudit = (program: Command, cli: Cli): Command =>
  program
    .command('audit')
    .description(hostOps.audit.about)
    .option('--agent <agent>', 'only about this agent')
    .option('--approval <id>', 'only about this approval', wholeNumber(1))
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 1000), 50)
    .option('-q, --quiet', 'numbers only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<Flags>(command)
      const { agent, approval, lines: limit } = flags
      const { entries, errors } = await withDaemon(cli, flags, (call) => call.audit({ agent, approval, limit }))
      sayUndecodable(cli, errors)
      const { out } = cli.io
      const look = { paint: createPaint(out), columns: out.columns() }
      show(cli, flags, {
        data: entries,
        ids: entries.map(({ id }) => id),
        text: () =>
          entries.length === 0
            ? 'nothing is written down yet; decisions and deploys will be\n'
            : headlineTable(TITLES, entries.map(rowOf), look),
      })
    })

const rowOf = ({ id, at, actor, verb, agent, approval, detail }: AuditEntry): string[] => [
  String(id),
  dateText(at),
  printableLine(actor),
  printableLine(verb),
  printableLine(agent ?? '-'),
  approval === null ? '-' : String(approval),
  Object.keys(detail).length === 0 ? '' : jsonText(detail),
]

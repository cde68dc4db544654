import type { Command } from 'commander'
import type { DeployRecord } from '../../wire/approvals.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { headlineTable } from '../headline.ts'
import { APPROVAL_STYLE, createPaint, type Paint } from '../paint.ts'
import { shortSha } from '../short-sha.ts'
import { show } from '../show.ts'
import { dateText } from '../time-text.ts'
import { sayUndecodable } from '../undecodable.ts'

const TITLES = ['WHEN', 'AGENT', 'APPROVAL', 'SHA', 'STATE', 'TOOK', 'TAG', 'NOTE']

export const addDeploys = (program: Command, cli: Cli): Command =>
  program
    .command('deploys')
    .description(hostOps.deploys.about)
    .option('--agent <agent>', 'only of this agent')
    .option('-n, --lines <count>', 'how many', wholeNumber(1, 1000), 20)
    .option('-q, --quiet', 'tags only')
    .action(async (_, command: Command) => {
      const flags = flagsOf<{ agent?: string; lines: number; quiet?: boolean }>(command)
      const { agent, lines: limit } = flags
      const { deploys, errors } = await withDaemon(cli, flags, (call) => call.deploys({ agent, limit }))
      sayUndecodable(cli, errors)
      const { out } = cli.io
      const look = { paint: createPaint(out), columns: out.columns() }
      show(cli, flags, {
        data: deploys,
        ids: deploys.map(({ tag }) => tag),
        text: () =>
          deploys.length === 0
            ? 'nothing was deployed yet; hive pending shows what waits\n'
            : headlineTable(TITLES, deploys.map(rowOf(look.paint)), look),
      })
    })

const rowOf =
  (paint: Paint) =>
  ({ agent, approval, sha, tag, state, at, tookMs, note }: DeployRecord): string[] => [
    dateText(at),
    agent,
    approval === null ? '-' : String(approval),
    shortSha(sha),
    paint(APPROVAL_STYLE[state], state),
    tookMs === null ? '-' : `${(tookMs / 1000).toFixed(1)}s`,
    tag,
    note ?? '',
  ]

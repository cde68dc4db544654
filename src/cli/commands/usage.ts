import type { Command } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import { type Account, BUDGET_WARN_AT, type Spent, type TurnRow, tokensOf, type UsageRow } from '../../wire/money.ts'
import type { Output } from '../../wire/op.ts'
import { columns } from '../cells.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { budgetText, countText, dollarText } from '../money-text.ts'
import { createPaint, type Paint } from '../paint.ts'
import { printableLine } from '../printable.ts'
import { show } from '../show.ts'
import { dateText } from '../time-text.ts'
import { sayUndecodable } from '../undecodable.ts'

type Flags = GlobalFlags & { agent?: string; days: number; turns?: number | true }
type Usage = Output<typeof hostOps.usage>

const CLAIM = 'Tokens and dollars are the figures of the agents’ own engines; requests are what the gateway saw.'
const LISTED_TURNS = 20

export const addUsage = (program: Command, cli: Cli): Command =>
  program
    .command('usage')
    .description(hostOps.usage.about)
    .option('--agent <agent>', 'only of this agent')
    .option('--days <count>', 'today and the days before', wholeNumber(1, 3660), 7)
    .option(
      '--turns [count]',
      `the newest turns of an agent, ${LISTED_TURNS} unless told; needs --agent`,
      wholeNumber(1, 1000),
    )
    .action(async (_, command: Command) => {
      const flags = flagsOf<Flags>(command)
      if (flags.turns === undefined) await showUsage(cli, flags)
      else await showTurns(cli, flags, flags.turns === true ? LISTED_TURNS : flags.turns)
    })

async function showUsage(cli: Cli, flags: Flags): Promise<void> {
  const { agent, days } = flags
  const { errors, ...usage } = await withDaemon(cli, flags, (call) => call.usage({ agent, days }))
  sayUndecodable(cli, errors)
  const paint = createPaint(cli.io.out)
  show(cli, flags, {
    data: usage,
    text: () =>
      [accountTable(usage.today, agent, paint), dayTable(usage.rows, paint), paint('gray', CLAIM)]
        .join('\n')
        .concat('\n'),
  })
}

async function showTurns(cli: Cli, flags: Flags, limit: number): Promise<void> {
  const { agent } = flags
  if (agent === undefined) {
    throw new HiveError('bad_input', '--turns lists the turns of one agent', { hint: 'name it: --agent <agent>' })
  }
  const { turns, errors } = await withDaemon(cli, flags, (call) => call.turns({ agent, limit }))
  sayUndecodable(cli, errors)
  const paint = createPaint(cli.io.out)
  show(cli, flags, {
    data: turns,
    text: () => (turns.length === 0 ? `${agent} has taken no turn yet\n` : turnTable(turns, paint)),
  })
}

function accountTable({ hive, agents }: Usage['today'], agent: string | undefined, paint: Paint): string {
  const titles = ['TODAY', 'TURNS', 'TOKENS', 'DOLLARS', 'BUDGET', 'REQUESTS', 'DOUBT']
  const row = (name: string, account: Account): string[] => [
    name,
    String(account.spent.turns),
    countText(tokensOf(account.spent)),
    dollarText(account.spent.dollars),
    paint((account.used ?? 0) >= BUDGET_WARN_AT ? 'yellow' : 'reset', budgetText(account)),
    String(account.requests),
    paint('yellow', account.doubt ?? '') || '-',
  ]
  const rows = Object.entries(agents).map(([name, account]) => row(name, account))
  return columns([
    titles.map((title) => paint('gray', title)),
    ...rows,
    ...(agent === undefined ? [row('the hive', hive)] : []),
  ])
}

function dayTable(rows: readonly UsageRow[], paint: Paint): string {
  if (rows.length === 0) return 'no turn has ended in these days\n'
  const titles = ['DAY', 'AGENT', 'MODEL', 'TURNS', 'INPUT', 'OUTPUT', 'CACHE READ', 'CACHE WRITE', 'DOLLARS']
  return columns([
    titles.map((title) => paint('gray', title)),
    ...rows.map((row) => [row.day, row.agent, printableLine(row.model), String(row.turns), ...figures(row)]),
  ])
}

function turnTable(turns: readonly TurnRow[], paint: Paint): string {
  const titles = [
    'WHEN',
    'MESSAGE',
    'ENDED',
    'TOOK',
    'MODEL',
    'INPUT',
    'OUTPUT',
    'CACHE READ',
    'CACHE WRITE',
    'DOLLARS',
  ]
  return columns([
    titles.map((title) => paint('gray', title)),
    ...turns.map((turn) => [
      dateText(turn.at),
      `#${turn.message}`,
      printableLine(turn.reason),
      `${(turn.durationMs / 1000).toFixed(1)}s`,
      printableLine(turn.model),
      ...figures(turn),
    ]),
  ])
}

const figures = (row: Omit<Spent, 'turns'>): string[] => [
  countText(row.inputTokens),
  countText(row.outputTokens),
  countText(row.cacheReadTokens),
  countText(row.cacheWriteTokens),
  dollarText(row.dollars),
]

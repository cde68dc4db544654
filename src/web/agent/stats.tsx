import { type ReactNode, useMemo } from 'react'
import type { Spent, TurnRow, UsageRow } from '../../wire/money.ts'
import type { Agent } from '../../wire/things.ts'
import { useOp } from '../api/use-op.ts'
import { barsByDay, barsByTurn, localDay } from '../charts/bars.ts'
import { Charts } from '../charts/chart.tsx'
import { dollarsText, spanText, tokensText } from '../ui/figures.ts'
import { Meter } from '../ui/meter.tsx'
import { Empty } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Scroll } from '../ui/scroll.tsx'
import { Ago } from '../ui/time.tsx'
import { Unreadable } from '../ui/unreadable.tsx'
import { visible, visibleLine } from '../ui/visible.ts'

type Figures = Omit<Spent, 'turns'>

const DAYS = 14

/** What an agent has used: today, by day, and turn by turn. As its engine counted, which is its claim. */
export const Stats = ({ agent }: { agent: Agent }) => (
  <>
    <Today agent={agent} />
    <Days agent={agent.name} turn={agent.lastTurn?.at} />
    <Turns agent={agent.name} turn={agent.lastTurn?.at} />
  </>
)

function Today({ agent: { account } }: { agent: Agent }) {
  const { spent, used, isOverridden, requests, doubt } = account
  return (
    <section aria-label="Today" className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-3 py-2">
      <span>
        {spent.turns} turns, {tokensText(tokensOf(spent))} tokens, {dollarsText(spent.dollars)} today
      </span>
      {used !== null && <Meter used={used} label="Of today’s budget" text={`${Math.round(used * 100)}%`} />}
      {isOverridden && <span className="text-accent">its budget does not hold today</span>}
      <span className="text-dim">{requests} requests seen by the gateway</span>
      {doubt !== null && <span className="text-err">{visible(doubt)}</span>}
    </section>
  )
}

/** `turn`: when the last one ended, after which the figures are others. */
function Days({ agent, turn }: { agent: string; turn?: number }) {
  const query = useOp('usage', { agent, days: DAYS }, { when: turn })
  return (
    <QueryView query={query}>
      {({ rows, errors }) => (
        <>
          <Unreadable rows={errors} />
          {rows.length === 0 ? (
            <Empty>It has taken no turn in the last {DAYS} days.</Empty>
          ) : (
            <DayFigures rows={rows} />
          )}
        </>
      )}
    </QueryView>
  )
}

function DayFigures({ rows }: { rows: readonly UsageRow[] }) {
  const bars = useMemo(() => barsByDay(rows, localDay(Date.now()), DAYS), [rows])
  return (
    <>
      <Charts label="Charts by day" bars={bars} />
      <Table caption="By day and model" heads={['day', 'model', 'turns', ...FIGURES]}>
        {rows.toReversed().map((row) => (
          <tr key={`${row.day} ${row.model}`}>
            <td>{row.day}</td>
            <td>{visibleLine(row.model, 30)}</td>
            <td className="text-right">{row.turns}</td>
            <FigureCells of={row} />
          </tr>
        ))}
      </Table>
    </>
  )
}

function Turns({ agent, turn }: { agent: string; turn?: number }) {
  const query = useOp('turns', { agent, limit: 50 }, { when: turn })
  return (
    <QueryView query={query}>
      {({ turns, errors }) => (
        <>
          <Unreadable rows={errors} />
          {turns.length === 0 ? <Empty>It has taken no turn yet.</Empty> : <TurnFigures turns={turns} />}
        </>
      )}
    </QueryView>
  )
}

function TurnFigures({ turns }: { turns: readonly TurnRow[] }) {
  const bars = useMemo(() => barsByTurn(turns), [turns])
  return (
    <>
      <Charts label="Charts of the last turns" bars={bars} />
      <Table caption="The last turns" heads={['when', 'ended', 'took', ...FIGURES]}>
        {turns.toReversed().map((row) => (
          <tr key={`${row.at} ${row.message}`}>
            <td>
              <Ago at={row.at} />
            </td>
            <td className={row.reason === 'ok' ? 'text-ok' : 'text-err'}>{visibleLine(row.reason, 30)}</td>
            <td className="text-right">{spanText(row.durationMs)}</td>
            <FigureCells of={row} />
          </tr>
        ))}
      </Table>
    </>
  )
}

const FIGURES = ['in', 'out', 'cached', 'cost'] as const

const FigureCells = ({ of }: { of: Figures }) => (
  <>
    <td className="text-right">{tokensText(of.inputTokens)}</td>
    <td className="text-right">{tokensText(of.outputTokens)}</td>
    <td className="text-right">{tokensText(of.cacheReadTokens + of.cacheWriteTokens)}</td>
    <td className="text-right">{dollarsText(of.dollars)}</td>
  </>
)

const tokensOf = (of: Figures): number => of.inputTokens + of.outputTokens + of.cacheReadTokens + of.cacheWriteTokens

const Table = ({ caption, heads, children }: { caption: string; heads: readonly string[]; children: ReactNode }) => (
  <Scroll label={caption} className="shrink-0 overflow-x-auto border-b border-line px-3 py-2">
    <table className="w-full text-xs [&_td]:px-1.5 [&_td]:py-0.5 [&_th]:px-1.5">
      <caption className="pb-1 text-left text-dim">{caption}</caption>
      <thead>
        <tr>
          {heads.map((head, index) => (
            <th key={head} scope="col" className={index < 2 ? 'text-left text-faint' : 'text-right text-faint'}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </Scroll>
)

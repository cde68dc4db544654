import { useMemo } from 'react'
import { type TurnRow, tokensOf, type UsageRow } from '../../wire/money.ts'
import type { Agent } from '../../wire/things.ts'
import { useOp } from '../api/use-op.ts'
import { barsByDay, barsByTurn, localDay } from '../charts/bars.ts'
import { Charts } from '../charts/chart.tsx'
import { FIGURES, FigureCells, FiguresTable } from '../charts/figures-table.tsx'
import { dollarsText, spanText, tokensText } from '../ui/figures.ts'
import { Meter } from '../ui/meter.tsx'
import { Empty } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Ago } from '../ui/time.tsx'
import { Unreadable } from '../ui/unreadable.tsx'
import { visible, visibleLine } from '../ui/visible.ts'

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
      <FiguresTable names={2} caption="By day and model" heads={['day', 'model', 'turns', ...FIGURES]}>
        {rows.toReversed().map((row) => (
          <tr key={`${row.day} ${row.model}`}>
            <td>{row.day}</td>
            <td>{visibleLine(row.model, 30)}</td>
            <td className="text-right">{row.turns}</td>
            <FigureCells of={row} />
          </tr>
        ))}
      </FiguresTable>
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
      <FiguresTable names={2} caption="The last turns" heads={['when', 'ended', 'took', ...FIGURES, 'context']}>
        {turns.toReversed().map((row) => (
          <tr key={`${row.at} ${row.message}`}>
            <td>
              <Ago at={row.at} />
            </td>
            <td className={row.reason === 'ok' ? 'text-ok' : 'text-err'}>{visibleLine(row.reason, 30)}</td>
            <td className="text-right">{spanText(row.durationMs)}</td>
            <FigureCells of={row} />
            <td className="text-right">{row.contextTokens > 0 && tokensText(row.contextTokens)}</td>
          </tr>
        ))}
      </FiguresTable>
    </>
  )
}

import { useMemo } from 'react'
import { Link } from 'wouter'
import { tokensOf, type UsageRow } from '../../wire/money.ts'
import { useLive } from '../api/live.ts'
import { useOp } from '../api/use-op.ts'
import { barsByDay, localDay } from '../charts/bars.ts'
import { Charts } from '../charts/chart.tsx'
import { FIGURES, FigureCells, FiguresTable } from '../charts/figures-table.tsx'
import { sumsBy } from '../charts/sums.ts'
import { useAttention } from '../frame/attention.ts'
import { dollarsText, tokensText } from '../ui/figures.ts'
import { Empty, Panel } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Unreadable } from '../ui/unreadable.tsx'
import { visibleLine } from '../ui/visible.ts'

const DAYS = 30
/** In a busy hive turns end by the second, and each would have the sums of everybody read. */
const READ_EVERY_MS = 30_000

/** What all agents have used, also those that are gone: as their engines counted, which is their claim. */
export function UsagePage() {
  useAttention('Usage')
  const query = useOp('usage', { days: DAYS }, { everyMs: READ_EVERY_MS })
  const spent = query.data?.today.hive.spent
  return (
    <main className="mx-auto flex w-full max-w-6xl flex-1 flex-col gap-3 p-3">
      <h1 className="sr-only">Usage</h1>
      <Panel
        title="Usage"
        actions={
          spent && (
            <span className="text-dim">
              {spent.turns} turns, {tokensText(tokensOf(spent))} tokens, {dollarsText(spent.dollars)} today
            </span>
          )
        }
      >
        <QueryView query={query}>
          {({ rows, errors }) => (
            <>
              <Unreadable rows={errors} />
              {rows.length === 0 ? <Empty>No turn ended in the last {DAYS} days.</Empty> : <Sums rows={rows} />}
            </>
          )}
        </QueryView>
      </Panel>
    </main>
  )
}

function Sums({ rows }: { rows: readonly UsageRow[] }) {
  const bars = useMemo(() => barsByDay(rows, localDay(Date.now()), DAYS), [rows])
  const agents = useMemo(
    () => [...sumsBy(rows, ({ agent }) => agent)].sort(([, one], [, other]) => other.dollars - one.dollars),
    [rows],
  )
  const days = useMemo(() => [...sumsBy(rows, ({ day }) => day)].reverse(), [rows])
  return (
    <>
      <Charts label="Charts by day" bars={bars} />
      <FiguresTable names={1} caption={`By agent, of ${DAYS} days`} heads={['agent', 'turns', ...FIGURES]}>
        {agents.map(([agent, sum]) => (
          <tr key={agent}>
            <td>
              <AgentLink name={agent} />
            </td>
            <td className="text-right">{sum.turns}</td>
            <FigureCells of={sum} />
          </tr>
        ))}
      </FiguresTable>
      <FiguresTable names={1} caption="By day" heads={['day', 'turns', ...FIGURES]}>
        {days.map(([day, sum]) => (
          <tr key={day}>
            <td>{day}</td>
            <td className="text-right">{sum.turns}</td>
            <FigureCells of={sum} />
          </tr>
        ))}
      </FiguresTable>
    </>
  )
}

/** An agent that is gone has no page, but what it used stays. */
function AgentLink({ name }: { name: string }) {
  const isThere = useLive(({ state }) => state?.agents.some((one) => one.name === name))
  const text = visibleLine(name, 40)
  if (!isThere) return text
  return (
    <Link href={`/a/${name}?panel=stats`} className="text-info hover:underline">
      {text}
    </Link>
  )
}

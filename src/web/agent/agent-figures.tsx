import type { Agent } from '../../wire/things.ts'
import { Badge } from '../ui/badge.tsx'
import { dollarsText } from '../ui/figures.ts'
import { Meter } from '../ui/meter.tsx'
import { visibleLine } from '../ui/visible.ts'

/** Model, context, spending and what else is worth a word. Context and spending are what the engine counted. */
export function AgentFigures({ agent }: { agent: Agent }) {
  const { model, unread, needsUpdate, account, parked, paused, portTakenBy, lastTurn } = agent
  return (
    <>
      <Badge title="Model">{visibleLine(model, 40)}</Badge>
      <ContextMeter usage={lastTurn?.usage ?? null} />
      {account.used !== null ? (
        <Meter
          used={account.used}
          label="Of today’s budget"
          text={`${Math.round(account.used * 100)}% ${dollarsText(account.spent.dollars)}`}
        />
      ) : (
        account.spent.turns > 0 && <Badge title="Spent today">{dollarsText(account.spent.dollars)} today</Badge>
      )}
      {account.doubt !== null && (
        <Badge tone="err" title={account.doubt}>
          doubtful figures
        </Badge>
      )}
      {unread > 0 && <Badge>{unread} unread</Badge>}
      {needsUpdate && <Badge tone="accent">needs update</Badge>}
      {parked && <Badge tone="accent">{visibleLine(`${parked.reason}: ${parked.detail}`, 60)}</Badge>}
      {paused?.reason && <Badge tone="accent">{visibleLine(paused.reason, 60)}</Badge>}
      {portTakenBy !== null && (
        <Badge title="Its page is here only: both names have the same port">port of {portTakenBy}</Badge>
      )}
    </>
  )
}

function ContextMeter({ usage }: { usage: NonNullable<Agent['lastTurn']>['usage'] }) {
  if (!usage || usage.contextWindow <= 0) return null
  const used = usage.contextTokens / usage.contextWindow
  return <Meter used={used} label="Context" text={`${Math.round(used * 100)}% ctx`} />
}

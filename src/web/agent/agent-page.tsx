import { Square, X } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { Agent } from '../../wire/things.ts'
import { useIsLive, useLive } from '../api/live.ts'
import { quietly } from '../api/use-deed.ts'
import { useAttention } from '../frame/attention.ts'
import { Badge } from '../ui/badge.tsx'
import { Button, buttonLook, LinkButton } from '../ui/button.tsx'
import { spanText } from '../ui/figures.ts'
import { Guard } from '../ui/panel.tsx'
import { visibleLine } from '../ui/visible.ts'
import { AgentFigures } from './agent-figures.tsx'
import { AgentMenu, useAgentDeeds } from './agent-menu.tsx'
import { StateBadge } from './agent-state.tsx'
import { Composer } from './composer.tsx'
import { LoginPanel } from './login-panel.tsx'
import { PANEL_TITLES, type PanelName, panelOf } from './panel-names.ts'
import { Transcript } from './transcript/transcript.tsx'

const Panels = lazy(() => import('./panels.tsx').then(({ Panels }) => ({ default: Panels })))

/** One agent: what it does and did, and the way to speak to it. `at` is an event to look at. */
export function AgentPage({ name, at }: { name: string; at?: number }) {
  useAttention(name)
  const agent = useLive(({ state }) => state?.agents.find((one) => one.name === name))
  const [clears, setClears] = useState(0)
  if (!agent) {
    return (
      <main className="flex flex-col items-start gap-2 p-4">
        <p>There is no agent {visibleLine(name, 40)}.</p>
        <LinkButton href="/">Dashboard</LinkButton>
      </main>
    )
  }
  return (
    <main className="flex min-h-96 flex-1 flex-col">
      <AgentHeader agent={agent} />
      <div className="flex min-h-0 flex-1 flex-col-reverse lg:flex-row">
        <section aria-label="Transcript" className="flex min-h-0 min-w-0 flex-1 flex-col">
          <div className="min-h-0 flex-1">
            <Guard what="The transcript">
              <Transcript agent={name} at={at} clears={clears} />
            </Guard>
          </div>
          <Below agent={agent} onClear={() => setClears(clears + 1)} />
        </section>
        <Drawer agent={agent} />
      </div>
    </main>
  )
}

function AgentHeader({ agent }: { agent: Agent }) {
  const { name, role, turn, lastTurn } = agent
  const deeds = useAgentDeeds(name)
  const isLive = useIsLive()
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line bg-panel px-3 py-1.5">
      <h1 className="text-base">{name}</h1>
      {role === 'manager' && <Badge>manager</Badge>}
      <StateBadge agent={agent} />
      {lastTurn?.usage && <Badge>last turn {spanText(lastTurn.usage.durationMs)}</Badge>}
      <AgentFigures agent={agent} />
      <nav aria-label="Panels" className="ml-auto flex flex-wrap items-center gap-2">
        <PanelLinks unread={agent.unread} />
        {turn && (
          <Button look="danger" disabled={!isLive} onClick={() => quietly(deeds.cancel())}>
            <Square size={14} aria-hidden="true" /> Cancel turn
          </Button>
        )}
        <AgentMenu agent={agent} />
      </nav>
    </header>
  )
}

function PanelLinks({ unread }: { unread: number }) {
  const [params] = useSearchParams()
  const open = panelOf(params)
  const hasTerminals = useLive(({ state }) => state?.status.terminal ?? false)
  const isOffered: Partial<Record<PanelName, boolean>> = { login: false, terminal: hasTerminals }
  return (Object.keys(PANEL_TITLES) as PanelName[])
    .filter((panel) => open === panel || isOffered[panel] !== false)
    .map((panel) => (
      <Link
        key={panel}
        href={open === panel ? '?' : `?panel=${panel}`}
        aria-current={open === panel ? 'true' : undefined}
        className={buttonLook('plain', open === panel ? 'border-accent' : undefined)}
      >
        {PANEL_TITLES[panel]}
        {panel === 'inbox' && unread > 0 && ` ${unread}`}
      </Link>
    ))
}

function Drawer({ agent }: { agent: Agent }) {
  const [params] = useSearchParams()
  const panel = panelOf(params)
  // Without a login that is what stands below the transcript.
  if (!panel || (panel === 'login' && agent.state === 'needs_login')) return null
  const title = PANEL_TITLES[panel]
  return (
    <aside
      aria-label={title}
      className="flex max-h-[60%] min-h-0 flex-col border-b border-line bg-panel lg:max-h-none lg:w-[min(42rem,45vw)] lg:border-b-0 lg:border-l"
    >
      <div className="flex items-center justify-between border-b border-line px-3 py-1">
        <h2>{title}</h2>
        <Link href="?" aria-label={`Close ${title}`} className={buttonLook('quiet', 'px-2')}>
          <X size={14} />
        </Link>
      </div>
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">
        <Guard what={title} place={title}>
          {panel === 'login' ? (
            <LoginPanel agent={agent.name} />
          ) : (
            <Suspense fallback={<p className="p-3 text-dim">Loading…</p>}>
              <Panels panel={panel} agent={agent} />
            </Suspense>
          )}
        </Guard>
      </div>
    </aside>
  )
}

/** Where one speaks to it; what it needs first where that cannot be heard. */
function Below({ agent, onClear }: { agent: Agent; onClear: () => void }) {
  const { name, state, desired, detail } = agent
  const deeds = useAgentDeeds(name)
  const isLive = useIsLive()
  if (state === 'needs_login') {
    return (
      <div className="border-t border-line bg-panel">
        <LoginPanel agent={name} />
      </div>
    )
  }
  if (desired === 'stopped' || state === 'failed') {
    return (
      <div className="flex flex-wrap items-center gap-2 border-t border-line bg-panel p-3">
        <span className="min-w-0 flex-1 break-words">
          {name} {state === 'failed' ? 'has failed' : 'is stopped'}
          {detail !== null && `: ${visibleLine(detail)}`}. What is sent to it waits.
        </span>
        <LinkButton href="?panel=journal">Journal</LinkButton>
        <Button look="main" disabled={!isLive || agent.operation !== null} onClick={() => quietly(deeds.start())}>
          Start
        </Button>
      </div>
    )
  }
  return <Composer agent={agent} onClear={onClear} />
}

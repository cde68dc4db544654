import { Hexagon, Octagon, Play, Search } from 'lucide-react'
import { Link } from 'wouter'
import { useIsLive, useLive } from '../api/live.ts'
import { quietly, useDeed } from '../api/use-deed.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { classNames } from '../ui/class-names.ts'
import { Menu } from '../ui/menu.tsx'
import { THEMES, type Theme, usePreferences } from './preferences.tsx'

const PAGES = [
  ['/messages', 'Messages'],
  ['/deploys', 'Deploys'],
  ['/usage', 'Usage'],
  ['/settings', 'Settings'],
] as const

/** On every page: where one is, how much waits, and the way to everything else. */
export function TopBar({ onSearch }: { onSearch: () => void }) {
  const needs = useLive(({ state }) => state?.needs.length ?? 0)
  return (
    <header className="flex min-h-11 items-center gap-2 border-b border-line bg-panel px-3 py-1 sm:gap-3">
      <Link
        href="/"
        className="flex min-w-0 items-center gap-1.5 font-semibold vibe:font-mono vibe:[text-shadow:var(--glow)]"
      >
        <Hexagon size={16} className="shrink-0" aria-hidden="true" /> <span className="truncate">hyperhive</span>
      </Link>
      <Liveness />
      {needs > 0 && (
        <Link
          href="/"
          className="rounded-full bg-accent px-2.5 py-0.5 font-mono text-xs whitespace-nowrap text-on-accent"
        >
          {needs} <span className="sr-only sm:not-sr-only">{needs === 1 ? 'needs' : 'need'} you</span>
        </Link>
      )}
      <nav aria-label="Pages" className="ml-auto flex items-center gap-3">
        {PAGES.map(([href, name]) => (
          <Link key={href} href={href} className="hidden text-dim hover:text-fg sm:inline">
            {name}
          </Link>
        ))}
      </nav>
      <Button onClick={onSearch}>
        <Search size={14} aria-hidden="true" /> <span className="sr-only md:not-sr-only">Search</span>
        <kbd className="hidden font-mono text-xs text-faint md:inline">Ctrl K</kbd>
      </Button>
      <ThemeSwitch />
      <HiveMenu />
    </header>
  )
}

/** Whether the page hears of the hive, and which model speaks. */
function Liveness() {
  const isLive = useIsLive()
  const status = useLive(({ state }) => state?.status)
  return (
    <>
      <Badge tone={isLive ? 'ok' : 'err'}>
        <span aria-hidden="true" className={classNames('size-2 rounded-full', isLive ? 'bg-ok' : 'bg-err')} />
        <span className={isLive ? 'sr-only sm:not-sr-only' : undefined}>{isLive ? 'live' : 'stale'}</span>
      </Badge>
      {status?.model === 'demo' && (
        <Badge title="A scripted model answers; nothing is sent to Anthropic" className="hidden sm:inline-flex">
          demo
        </Badge>
      )}
      {status?.stopped && <Badge tone="err">stopped</Badge>}
    </>
  )
}

function ThemeSwitch() {
  const { theme, change } = usePreferences()
  return (
    <select
      aria-label="Theme"
      value={theme}
      onChange={({ target }) => change({ theme: target.value as Theme })}
      className="hidden sm:block"
    >
      {THEMES.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  )
}

function HiveMenu() {
  const stopped = useLive(({ state }) => state?.status.stopped)
  const stop = useDeed('stop_all', 'Everything is stopped')
  const resume = useDeed('resume_all', 'Agents go on')
  return (
    <Menu
      label="The hive"
      entries={() => [
        stopped
          ? {
              label: 'End the emergency stop',
              icon: <Play size={14} />,
              isDisabled: !resume.canRun,
              run: () => quietly(resume.run({})),
            }
          : {
              label: 'Emergency stop',
              icon: <Octagon size={14} />,
              isDanger: true,
              isDisabled: !stop.canRun,
              run: () => quietly(stop.run({})),
            },
      ]}
    />
  )
}

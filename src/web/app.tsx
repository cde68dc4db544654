import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { lazy, Suspense, useEffect, useState } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { HiveError } from '../wire/errors.ts'
import { type Hive, HiveProvider, openHive, useLive } from './api/live.ts'
import { keepToken } from './api/token.ts'
import { Dashboard } from './dashboard/dashboard.tsx'
import { BottomTabs } from './frame/bottom-tabs.tsx'
import { ConnectionBar } from './frame/connection-bar.tsx'
import { useChords, useKeys } from './frame/keys.ts'
import { KeysHelp } from './frame/keys-help.tsx'
import { LetIn } from './frame/let-in.tsx'
import { useNotices } from './frame/notices.ts'
import { PreferencesProvider } from './frame/preferences.tsx'
import { TopBar } from './frame/top-bar.tsx'
import { VersionBar } from './frame/version-bar.tsx'
import { Guard } from './ui/panel.tsx'
import { Toasts } from './ui/toast.tsx'

const AgentPage = lazy(() => import('./agent/agent-page.tsx').then(({ AgentPage }) => ({ default: AgentPage })))
const ApprovalPage = lazy(() =>
  import('./approval/approval-page.tsx').then(({ ApprovalPage }) => ({ default: ApprovalPage })),
)
const MessagesPage = lazy(() =>
  import('./messages/messages-page.tsx').then(({ MessagesPage }) => ({ default: MessagesPage })),
)
const DeploysPage = lazy(() =>
  import('./deploys/deploys-page.tsx').then(({ DeploysPage }) => ({ default: DeploysPage })),
)
const SettingsPage = lazy(() =>
  import('./settings/settings-page.tsx').then(({ SettingsPage }) => ({ default: SettingsPage })),
)
const UsagePage = lazy(() => import('./usage/usage-page.tsx').then(({ UsagePage }) => ({ default: UsagePage })))
const Palette = lazy(() => import('./frame/palette.tsx').then(({ Palette }) => ({ default: Palette })))

/** The app, for a browser with a token or without. */
export function App({ token }: { token: string | undefined }) {
  const [parts, setParts] = useState<{ hive: Hive; queries: QueryClient }>()
  useEffect(() => {
    if (token === undefined) return
    const hive = openHive({ token, fetch: (...request) => fetch(...request) })
    setParts({ hive, queries: createQueries() })
    const retry = () => document.hidden || hive.stream.retry()
    document.addEventListener('visibilitychange', retry)
    addEventListener('online', retry)
    return () => {
      document.removeEventListener('visibilitychange', retry)
      removeEventListener('online', retry)
      hive.stream[Symbol.dispose]()
    }
  }, [token])
  if (token === undefined) {
    return (
      <PreferencesProvider>
        <LetIn wasRefused={false} onToken={takeAndReload} />
      </PreferencesProvider>
    )
  }
  if (!parts) return null
  return (
    <PreferencesProvider>
      <HiveProvider value={parts.hive}>
        <QueryClientProvider client={parts.queries}>
          <Toasts>
            <Frame />
          </Toasts>
        </QueryClientProvider>
      </HiveProvider>
    </PreferencesProvider>
  )
}

function takeAndReload(token: string): void {
  keepToken(localStorage, token)
  location.reload()
}

/** What the hive itself says is not asked again; what did not reach it is, a few times. */
const createQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < 3 && error instanceof HiveError && error.code === 'unreachable',
      },
    },
  })

/** What stands around every page. */
export function Frame() {
  const isRefused = useLive(({ connection }) => connection.is === 'refused')
  useNotices()
  const isKnown = useLive(({ state }) => state !== undefined)
  const [location, navigate] = useLocation()
  const [isSearching, setSearching] = useState(false)
  const [isHelping, setHelping] = useState(false)
  const agents = useLive(({ state }) => state?.agents)
  const approvals = useLive(({ state }) => state?.approvals)
  useChords({
    '$mod+k': (event) => {
      event.preventDefault()
      setSearching(true)
    },
  })
  useKeys({
    'Shift+?': () => setHelping(true),
    '/': (event) => {
      event.preventDefault()
      document.querySelector<HTMLInputElement>('input[type="search"]')?.focus()
    },
    'g h': () => navigate('/'),
    'g a': () => {
      const first = approvals?.find(({ state }) => state === 'pending' || state === 'stale')
      if (first) navigate(`/approvals/${first.id}`)
    },
    'g m': () => navigate('/messages'),
    'g d': () => navigate('/deploys'),
    ...Object.fromEntries(
      (agents ?? []).slice(0, 9).map(({ name }, index) => [`g ${index + 1}`, () => navigate(`/a/${name}`)]),
    ),
  })
  if (isRefused) return <LetIn wasRefused onToken={takeAndReload} />
  return (
    <div className="flex h-dvh flex-col">
      <ConnectionBar />
      <VersionBar />
      <TopBar onSearch={() => setSearching(true)} />
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">
        <Guard place={location} what="This page">
          <Suspense fallback={<Waiting />}>{isKnown ? <Pages /> : <Waiting />}</Suspense>
        </Guard>
      </div>
      <BottomTabs />
      {isHelping && <KeysHelp onClose={() => setHelping(false)} />}
      {isSearching && (
        <Suspense>
          <Palette onClose={() => setSearching(false)} onHelp={() => setHelping(true)} />
        </Suspense>
      )}
    </div>
  )
}

const Waiting = () => (
  <p role="status" className="p-4 text-dim">
    Loading…
  </p>
)

const Pages = () => (
  <Switch>
    <Route path="/">
      <Dashboard />
    </Route>
    <Route path="/approvals/:id">{({ id }) => <ApprovalPage key={id} id={Number(id)} />}</Route>
    <Route path="/a/:name">{({ name }) => <AgentPage key={name} name={name} />}</Route>
    <Route path="/a/:name/e/:seq">{({ name, seq }) => <AgentPage key={name} name={name} at={Number(seq)} />}</Route>
    <Route path="/messages">
      <MessagesPage />
    </Route>
    <Route path="/messages/:id">{({ id }) => <MessagesPage key={id} id={Number(id)} />}</Route>
    <Route path="/deploys">
      <DeploysPage />
    </Route>
    <Route path="/usage">
      <UsagePage />
    </Route>
    <Route path="/settings">
      <SettingsPage />
    </Route>
    <Route>
      <main className="p-4">
        <h1 className="text-base">There is no such page</h1>
      </main>
    </Route>
  </Switch>
)

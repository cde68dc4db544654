import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ChevronsDownUp, Search as SearchIcon } from 'lucide-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useLocation } from 'wouter'
import { useHive, useLive } from '../../api/live.ts'
import { useKeys } from '../../frame/keys.ts'
import { Button } from '../../ui/button.tsx'
import { Menu } from '../../ui/menu.tsx'
import { useToast } from '../../ui/toast.tsx'
import { visible } from '../../ui/visible.ts'
import { type ExportFormat, exportTranscript } from './export-transcript.ts'
import { createEventSource } from './hive-events.ts'
import { useOpened } from './opened.ts'
import { findRow, type Row } from './row.ts'
import { estimateHeight } from './row-height.ts'
import { type RowContext, RowView } from './row-view.tsx'
import { Search } from './search.tsx'
import { type EventSource, TranscriptStore } from './transcript-store.ts'
import { type WaitingPermission, WaitingPermissions } from './waiting-permissions.tsx'

/** So near to its end, in pixels, a reader follows what comes. */
const END_PX = 80
/** Room for the words at the beginning, in pixels. */
const HEAD_PX = 32
/** So near to its beginning older events are fetched. */
const BEGINNING_PX = 1_500

/** What an agent does, as it does it: its events from the first to the newest. `at` is one of them to look at; when `clears` grows, the view is emptied. */
export function Transcript({ agent, at, clears = 0 }: { agent: string; at?: number; clears?: number }) {
  const hive = useHive()
  const source = useMemo(() => createEventSource(hive, agent), [hive, agent])
  const store = useMemo(() => new TranscriptStore(source), [source])
  useEffect(() => () => store.close(), [store])
  useEffect(() => {
    if (at === undefined ? !store.snapshot().isOpen : store.indexOf(at) < 0) void store.show(at)
  }, [store, at])
  useEffect(() => {
    if (clears > 0) void store.clear()
  }, [store, clears])
  return <Window key={agent} agent={agent} source={source} store={store} at={at} />
}

interface WindowProps {
  readonly agent: string
  readonly source: EventSource
  readonly store: TranscriptStore
  readonly at: number | undefined
}

function Window({ agent, source, store, at }: WindowProps) {
  const { rows, generation, isOpen, hasOlder, hasNewer, isCleared, problem } = useSyncExternalStore(
    store.subscribe,
    store.snapshot,
  )
  const [, navigate] = useLocation()
  const [isSearching, setSearching] = useState(false)
  const opened = useOpened()
  const permissions = usePermissions(agent)
  const scroller = useRef<HTMLDivElement>(null)
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimateHeight(rows[index] as Row),
    getItemKey: useMemo(() => (index: number) => rows[index]?.key ?? index, [rows]),
    overscan: 8,
    paddingStart: HEAD_PX,
    anchorTo: 'end',
    // Who looks at the past stays there.
    followOnAppend: at === undefined || !hasNewer,
    scrollEndThreshold: END_PX,
    // It would have React render while it renders.
    useFlushSync: false,
  })
  const items = virtualizer.getVirtualItems()
  const isAtEnd = virtualizer.isAtEnd(END_PX)
  const news = useNews(rows, isAtEnd)

  const target = at === undefined ? -1 : store.indexOf(at)
  const isTargetHere = target >= 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: a reader is moved when what is looked for comes, not with every row
  useLayoutEffect(() => {
    if (isTargetHere) virtualizer.scrollToIndex(target, { align: 'center' })
    else if (isOpen) virtualizer.scrollToEnd()
  }, [generation, at, isTargetHere])

  useEffect(() => {
    if (problem !== undefined || rows.length === 0) return
    if (hasNewer && isAtEnd) void store.loadNewer()
    else if (hasOlder && scroller.current && scroller.current.scrollTop < BEGINNING_PX && items.length > 0) {
      void store.loadOlder()
    }
  }, [store, rows, items, hasNewer, hasOlder, isAtEnd, problem])

  const showLatest = () => {
    navigate(`/a/${agent}`)
    if (hasNewer) void store.show()
    else virtualizer.scrollToEnd()
  }
  const context = useMemo<RowContext>(
    () => ({
      agent,
      store,
      opened,
      isRunning: (call) => store.isRunning(call),
      waitingTools: new Set(permissions.map(({ tool }) => tool)),
    }),
    [agent, store, opened, permissions],
  )
  useKeys({
    'Shift+G': showLatest,
    e: opened.toggleAll,
    f: (event) => {
      event.preventDefault()
      setSearching(true)
    },
  })

  return (
    <section aria-label={`Transcript of ${agent}`} className="relative flex h-full min-h-0 flex-1 flex-col">
      <div className="absolute top-1 right-3 z-10 flex gap-1 rounded-md bg-panel">
        <Button look="quiet" aria-label="Search (f)" title="Search (f)" onClick={() => setSearching(!isSearching)}>
          <SearchIcon size={14} />
        </Button>
        <Button look="quiet" aria-label="Open or fold all (e)" title="Open or fold all (e)" onClick={opened.toggleAll}>
          <ChevronsDownUp size={14} />
        </Button>
        <ExportMenu agent={agent} source={source} />
      </div>
      {isSearching && <Search agent={agent} source={source} target={at} close={() => setSearching(false)} />}
      <div
        ref={scroller}
        role="log"
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached with the keyboard
        tabIndex={0}
        className="min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]"
      >
        <div className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
          {isOpen && !hasOlder && !isCleared && rows.length > 0 && (
            <p className="absolute top-2 px-3 text-xs text-faint">Here it began.</p>
          )}
          {/* Rows stand in the normal flow of one block: moved one by one they stay unpainted where nothing but software paints. */}
          <div className="absolute left-0 w-full" style={{ top: items[0]?.start ?? 0 }}>
            {items.map(({ key, index }) => {
              const row = rows[index]
              if (!row) return null
              return (
                <div key={key} data-index={index} ref={virtualizer.measureElement}>
                  <RowView
                    row={row}
                    context={context}
                    isTarget={index === target}
                    isRunning={row.kind === 'calls' && row.calls.some(context.isRunning)}
                  />
                </div>
              )
            })}
          </div>
        </div>
        {isCleared ? (
          <p className="absolute top-1 flex items-center gap-2 px-3 text-xs text-faint">
            The view was emptied; nothing is lost.
            <Button className="min-h-6 py-0" onClick={() => void store.unclear()}>
              Show it again
            </Button>
          </p>
        ) : (
          <Nothing isOpen={isOpen} isEmpty={rows.length === 0} problem={problem} />
        )}
      </div>
      {problem !== undefined && (
        <div role="alert" className="flex items-center gap-2 border-t border-line bg-panel px-3 py-1.5 text-err">
          <span className="min-w-0 flex-1 break-words">{visible(problem)}</span>
          <Button onClick={() => void (isOpen ? retry(store, isAtEnd && hasNewer) : store.show(at))}>Try again</Button>
        </div>
      )}
      {rows.length > 0 && (!isAtEnd || hasNewer) && (
        <Button
          look="main"
          className="absolute bottom-3 left-1/2 z-10 -translate-x-1/2 rounded-full shadow-lg"
          title="To the newest (Shift G)"
          onClick={showLatest}
        >
          <ArrowDown size={14} />
          {news > 0 ? `${news} new` : 'Latest'}
        </Button>
      )}
      <WaitingPermissions permissions={permissions} />
    </section>
  )
}

const retry = (store: TranscriptStore, isNewer: boolean): Promise<void> =>
  isNewer ? store.loadNewer() : store.loadOlder()

/** How many rows came since the reader last saw the end. */
function useNews(rows: readonly Row[], isAtEnd: boolean): number {
  const seen = useRef<Row | undefined>(undefined)
  const last = rows.at(-1)
  useEffect(() => {
    if (isAtEnd) seen.current = last
  }, [isAtEnd, last])
  if (isAtEnd || !seen.current) return 0
  return Math.max(0, rows.length - 1 - findRow(rows, seen.current))
}

function usePermissions(agent: string): readonly WaitingPermission[] {
  const needs = useLive(({ state }) => state?.needs)
  return useMemo(
    () =>
      (needs ?? []).flatMap((need) =>
        need.kind === 'permission' && need.permission.agent === agent ? [need.permission] : [],
      ),
    [needs, agent],
  )
}

function Nothing({ isOpen, isEmpty, problem }: { isOpen: boolean; isEmpty: boolean; problem: string | undefined }) {
  if (!isOpen) return problem === undefined ? <p className="p-3 text-faint">Loading…</p> : null
  return isEmpty ? <p className="p-3 text-faint">It has done nothing yet. A message wakes it.</p> : null
}

const FORMATS: Readonly<Record<ExportFormat, { label: string; type: string; ending: string }>> = {
  markdown: { label: 'Export as Markdown', type: 'text/markdown', ending: 'md' },
  jsonl: { label: 'Export as JSONL', type: 'application/jsonl', ending: 'jsonl' },
}

function ExportMenu({ agent, source }: { agent: string; source: EventSource }) {
  const toast = useToast()
  const save = async (format: ExportFormat) => {
    try {
      const { type, ending } = FORMATS[format]
      const file = new Blob(await exportTranscript(source, agent, format), { type })
      saveFile(file, `${agent}.${ending}`)
    } catch (error) {
      toast.error(error)
    }
  }
  const entries = (['markdown', 'jsonl'] as const).map((format) => ({
    label: FORMATS[format].label,
    run: () => void save(format),
  }))
  return <Menu label="Export" entries={() => entries} />
}

/** Has the browser save a file under a name. */
function saveFile(file: Blob, name: string): void {
  const address = URL.createObjectURL(file)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // Some browsers read it a little later.
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

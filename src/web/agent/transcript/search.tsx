import { useInfiniteQuery } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import { Button } from '../../ui/button.tsx'
import { clockText } from '../../ui/figures.ts'
import { visible, visibleLine } from '../../ui/visible.ts'
import { permalink } from './row-view.tsx'
import { snippetOf } from './snippet.ts'
import type { EventSource } from './transcript-store.ts'

/** Finds a text in all that the agent has done: the browser's own search sees the rows in the window only. */
export function Search(props: { agent: string; source: EventSource; target: number | undefined; close: () => void }) {
  const { agent, source, target, close } = props
  const [text, setText] = useState('')
  const wanted = useSettled(text.trim())
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.focus(), [])
  const { data, error, isFetching, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['search', agent, wanted],
    queryFn: ({ pageParam }) => source.search(wanted, pageParam),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    enabled: wanted !== '',
  })
  const hits = data?.pages.flatMap(({ events }) => events) ?? []
  // A page is so many events looked through: on to the next until there is something to show.
  const goesOn = hits.length === 0 && hasNextPage && !isFetching && !error
  useEffect(() => {
    if (goesOn) void fetchNextPage()
  }, [goesOn, fetchNextPage])
  return (
    <search className="flex flex-col gap-1 border-b border-line bg-panel px-3 py-2">
      <div className="flex items-center gap-2">
        <input
          ref={input}
          type="search"
          aria-label="Search this transcript"
          placeholder="Search this transcript"
          maxLength={200}
          value={text}
          onChange={({ target: { value } }) => setText(value)}
          onKeyDown={({ key }) => key === 'Escape' && close()}
          className="min-w-0 flex-1"
        />
        <Button look="quiet" aria-label="Close the search" onClick={close}>
          <X size={14} />
        </Button>
      </div>
      {wanted !== '' && (
        <>
          <p role="status" className="text-xs text-faint">
            {error ? visible(error.message) : isFetching ? 'Searching…' : found(hits.length, hasNextPage)}
          </p>
          <ol className="max-h-56 overflow-y-auto">
            {hits.map((event) => (
              <li key={event.seq}>
                <Link
                  href={permalink(agent, event.seq)}
                  aria-current={event.seq === target}
                  className="flex gap-2 rounded px-1 py-0.5 hover:bg-raise aria-[current=true]:bg-raise"
                >
                  <time className="shrink-0 font-mono text-xs text-faint" title={new Date(event.at).toLocaleString()}>
                    {clockText(event.at)}
                  </time>
                  <Snippet parts={snippetOf(event.event, wanted)} />
                </Link>
              </li>
            ))}
          </ol>
          {hasNextPage && !isFetching && (
            <Button look="quiet" className="self-start" onClick={() => void fetchNextPage()}>
              Search further back
            </Button>
          )}
        </>
      )}
    </search>
  )
}

const SETTLED_MS = 250

/** A text once nobody has typed for a moment: each search looks through thousands of events. */
function useSettled(text: string): string {
  const [settled, settle] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => settle(text), SETTLED_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}

function found(count: number, hasMore: boolean): string {
  const hits = count === 0 ? 'Nothing found' : count === 1 ? '1 found' : `${count} found`
  return hasMore ? `${hits} so far` : hits
}

const Snippet = ({ parts: [before, hit, after] }: { parts: readonly [string, string, string] }) => (
  <span className="min-w-0 truncate font-mono text-xs text-dim">
    {visibleLine(before)} <mark className="bg-accent text-on-accent">{visibleLine(hit)}</mark> {visibleLine(after)}
  </span>
)

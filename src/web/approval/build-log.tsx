import { useEffect, useRef, useState } from 'react'
import type { DeployLine } from '../../wire/approvals.ts'
import { useHive, useIsLive } from '../api/live.ts'
import { Copy } from '../ui/copy.tsx'
import { clockText } from '../ui/figures.ts'
import { Problem } from '../ui/query-view.tsx'
import { Scroll } from '../ui/scroll.tsx'
import { visible } from '../ui/visible.ts'

const HELD_SECONDS = 25

/** The log of a deploy, line by line while it goes on. `onEnd` is called when it has ended while one looked. */
export function BuildLog({ id, onEnd }: { id: number; onEnd: () => void }) {
  const { lines, problem } = useDeployLog(id, onEnd)
  const end = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (lines.length > 0) end.current?.scrollIntoView({ block: 'nearest' })
  }, [lines])
  if (problem) return <Problem error={problem} />
  if (lines.length === 0) return null
  return (
    <section className="border-b border-line">
      <h2 className="flex items-center gap-2 px-3 pt-2">
        Build log <Copy text={lines.map(({ text }) => text).join('\n')} label="Copy the build log" />
      </h2>
      <Scroll label="Build log" className="max-h-80 overflow-auto p-3 font-mono text-xs">
        {lines.map(({ n, at, text }) => (
          <div key={n} className="flex gap-3">
            <span className="text-faint">{clockText(at)}</span>
            <span className="min-w-0 break-words whitespace-pre-wrap">{visible(text)}</span>
          </div>
        ))}
        <div ref={end} />
      </Scroll>
    </section>
  )
}

function useDeployLog(id: number, onEnd: () => void) {
  const { call } = useHive()
  const isLive = useIsLive()
  const [lines, setLines] = useState<readonly DeployLine[]>([])
  const [problem, setProblem] = useState<Error>()
  const last = useRef(0)
  const ended = useRef(onEnd)
  ended.current = onEnd
  useEffect(() => {
    if (!isLive) return
    const left = new AbortController()
    const { signal } = left
    const follow = async () => {
      let wasGoingOn = false
      while (!signal.aborted) {
        const said = await call('deploy_log', { id, after: last.current, wait_seconds: HELD_SECONDS }, { signal })
        if (signal.aborted) return
        last.current = said.lines.at(-1)?.n ?? last.current
        if (said.lines.length > 0) setLines((before) => [...before, ...said.lines])
        const isGoingOn = said.approval.state === 'approved'
        wasGoingOn ||= isGoingOn
        // The last lines may come with the end, and more than fit one answer.
        if (isGoingOn || said.lines.length > 0) continue
        if (wasGoingOn) ended.current()
        return
      }
    }
    setProblem(undefined)
    follow().catch((error) => signal.aborted || setProblem(error))
    return () => left.abort()
  }, [id, call, isLive])
  return { lines, problem }
}

import { type ReactNode, useEffect, useState } from 'react'
import { Link, useLocation } from 'wouter'
import type { Approval } from '../../wire/approvals.ts'
import type { hostOps } from '../../wire/host-ops.ts'
import type { Output } from '../../wire/op.ts'
import { useLive } from '../api/live.ts'
import { useOp } from '../api/use-op.ts'
import { useAttention } from '../frame/attention.ts'
import { useKeys } from '../frame/keys.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Copy } from '../ui/copy.tsx'
import { preloadDialog } from '../ui/dialog.tsx'
import { shortSha } from '../ui/figures.ts'
import { Guard } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Ago } from '../ui/time.tsx'
import { visible, visibleLine } from '../ui/visible.ts'
import { BuildLog } from './build-log.tsx'
import { ChangedFiles } from './changed-files.tsx'
import { DecisionBar } from './decision-bar.tsx'
import { Diff, preloadDiff } from './diff.tsx'
import { hasChanged } from './has-changed.ts'
import { effectText, requestText } from './request-text.ts'

export type Shown = Output<(typeof hostOps)['show']>

/** One request: who asks for what and why, what it changes, and the decision; then how its deploy goes. */
export function ApprovalPage({ id }: { id: number }) {
  useAttention(`#${id}`)
  useNeighbours(id)
  useEffect(preloadDiff, [])
  useEffect(preloadDialog, [])
  // Once: what is on the screen is what is decided on, until the operator asks for what it is now.
  const query = useOp('show', { id }, { isKept: true })
  return (
    <main className="flex min-h-full flex-col">
      <QueryView query={query}>{(shown) => <Request shown={shown} lookAgain={() => void query.refetch()} />}</QueryView>
    </main>
  )
}

/** `[` and `]` go to what else waits. */
function useNeighbours(id: number): void {
  const [, navigate] = useLocation()
  const waiting = useLive(({ state }) => state?.approvals) ?? []
  const go = (by: number) => {
    const ids = waiting.filter(({ state }) => state !== 'approved').map((one) => one.id)
    const next = ids[ids.indexOf(id) + by] ?? ids.at(by < 0 ? -1 : 0)
    if (next !== undefined && next !== id) navigate(`/approvals/${next}`)
  }
  useKeys({ '[': () => go(-1), ']': () => go(1) })
}

function Request({ shown, lookAgain }: { shown: Shown; lookAgain: () => void }) {
  const [reason, setReason] = useState('')
  const now = useLive(({ state }) => state?.approvals.find(({ id }) => id === shown.approval.id))
  const isOpen = ['pending', 'stale'].includes(shown.approval.state)
  const isOld = useSettled(isOpen && hasChanged(shown.approval, now))
  return (
    <>
      <RequestHeader shown={shown} stage={now?.state === 'approved' ? now : shown.approval}>
        {isOpen && <DecisionBar {...{ shown, isOld, lookAgain, reason, setReason }} />}
      </RequestHeader>
      {isOld && <Changed now={now} lookAgain={lookAgain} />}
      {shown.problem !== null && <Notice>It cannot be approved as it is: {visible(shown.problem)}</Notice>}
      {shown.approval.note !== null && <Notice>{visible(shown.approval.note)}</Notice>}
      {(now?.state === 'approved' || !isOpen) && shown.approval.state !== 'denied' && (
        <BuildLog key={String(isOpen)} id={shown.approval.id} onEnd={lookAgain} />
      )}
      <Change shown={shown} onQuote={isOpen ? (quote) => setReason((before) => addQuote(before, quote)) : undefined} />
    </>
  )
}

/** Whether something has been so for a while: the state of the page comes a moment after what was asked for. */
function useSettled(isSo: boolean): boolean {
  const [isSettled, setSettled] = useState(false)
  useEffect(() => {
    setSettled(false)
    if (!isSo) return
    const timer = setTimeout(() => setSettled(true), SETTLED_MS)
    return () => clearTimeout(timer)
  }, [isSo])
  return isSo && isSettled
}
/** The hive tells of what changes once a second at least. */
const SETTLED_MS = 1_500

const Notice = ({ children }: { children: ReactNode }) => (
  <div role="alert" className="border-b border-line bg-raise px-3 py-2 break-words whitespace-pre-wrap text-err">
    {children}
  </div>
)

/** The page shows what was, on purpose: nobody approves what slid under the pointer. */
const Changed = ({ now, lookAgain }: { now: Approval | undefined; lookAgain: () => void }) => (
  <div role="alert" className="flex flex-wrap items-center gap-2 border-b border-line bg-raise px-3 py-2 text-accent">
    {now === undefined || now.state === 'approved'
      ? 'It was decided meanwhile. Nothing was done from here.'
      : 'The proposal, or what runs, changed since you opened it. Nothing was done.'}
    <Button onClick={lookAgain}>Show what it is now</Button>
  </div>
)

/** `stage`: how far it is by now. */
function RequestHeader({
  shown: { approval, commit },
  stage: { state, step, position },
  children,
}: {
  shown: Shown
  stage: Approval
  children: ReactNode
}) {
  const { id, agent, requester, requestedAt, sha, base, description } = approval
  return (
    <header className="border-b border-line bg-panel px-3 py-2 lg:sticky lg:top-0 lg:z-10">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <h1 className="min-w-0 text-base break-words">
          #{id} {requestText(approval)}
        </h1>
        <Badge tone={TONES[state]}>{step === null ? state : `${state}: ${step}`}</Badge>
        {position !== null && <Badge>{position} in the queue</Badge>}
        <span className="text-dim">
          {requester} asks, for{' '}
          <Link href={`/a/${agent}`} className="font-semibold hover:text-accent">
            {agent}
          </Link>
        </span>
        <Ago at={requestedAt} />
        {sha !== null && (
          <span className="flex items-center font-mono text-xs text-dim" title={`${base ?? 'nothing'} → ${sha}`}>
            {base === null ? '' : `${shortSha(base)} → `}
            {shortSha(sha)} <Copy text={sha} label="Copy the commit" />
          </span>
        )}
        {children}
      </div>
      {description !== null && <p className="mt-1 break-words whitespace-pre-wrap">{visible(description)}</p>}
      {commit && (
        <details className="mt-1 text-dim">
          <summary className="cursor-pointer">
            {visibleLine(commit.message.split('\n')[0] ?? '', 120)} <Ago at={commit.at} />
          </summary>
          <p>{visibleLine(commit.author)}</p>
          <pre className="font-sans break-words whitespace-pre-wrap">{visible(commit.message)}</pre>
        </details>
      )}
    </header>
  )
}

const TONES = {
  pending: 'accent',
  stale: 'accent',
  approved: 'info',
  deployed: 'ok',
  failed: 'err',
  denied: 'err',
  cancelled: 'faint',
} as const

/** What it changes: file by file, with what a reader could miss. Lines that are chosen go into the reason to deny it. */
function Change({ shown: { diff, approval }, onQuote }: { shown: Shown; onQuote?: (quote: string) => void }) {
  const [view, setView] = useState<'split' | 'unified'>(() =>
    matchMedia('(min-width: 64rem)').matches ? 'split' : 'unified',
  )
  useKeys({ u: () => setView(view === 'split' ? 'unified' : 'split') })
  if (!diff && !onQuote) return null
  if (!diff) return <p className="p-3 text-dim">There are no files to look at. {effectText(approval)}</p>
  if (diff.text === '') {
    return <p className="p-3 text-dim">Its files are the same as those that run now: only the history differs.</p>
  }
  return (
    <>
      {diff.truncated !== null && <Notice>The diff is not complete: {visible(diff.truncated)}</Notice>}
      <ChangedFiles diff={diff}>
        <fieldset className="ml-auto flex gap-2">
          <legend className="sr-only">View</legend>
          {(['unified', 'split'] as const).map((one) => (
            <Button
              key={one}
              aria-pressed={view === one}
              onClick={() => setView(one)}
              className="aria-pressed:border-accent"
            >
              {one}
            </Button>
          ))}
        </fieldset>
      </ChangedFiles>
      <div className="min-h-[60dvh] flex-1 pb-14 lg:pb-0">
        <Guard what="The diff">
          <Diff text={diff.text} view={view} onQuote={onQuote} />
        </Guard>
      </div>
    </>
  )
}

const addQuote = (before: string, quote: string): string => (before === '' ? quote : `${before.trimEnd()}\n\n${quote}`)

import { useQuery } from '@tanstack/react-query'
import { Link as LinkIcon } from 'lucide-react'
import { memo } from 'react'
import { Link } from 'wouter'
import type { TurnEnd } from '../../../wire/turn.ts'
import { classNames } from '../../ui/class-names.ts'
import { Copy } from '../../ui/copy.tsx'
import { clockText, dollarsText, spanText, tokensText } from '../../ui/figures.ts'
import { visible, visibleLine } from '../../ui/visible.ts'
import { CallsView, ResultView } from './call-view.tsx'
import { type Clip, firstLine, isCut } from './clip.ts'
import type { Opened } from './opened.ts'
import { Output } from './output.tsx'
import { Prose } from './prose.tsx'
import type { Call, Level, Row, RowOf } from './row.ts'
import { rowText } from './row-text.ts'
import type { TranscriptStore } from './transcript-store.ts'

/** What rows need to know beside themselves. */
export interface RowContext {
  readonly agent: string
  readonly store: TranscriptStore
  readonly opened: Opened
  readonly isRunning: (call: Call) => boolean
  /** Tools for which the turn waits until the operator decides. */
  readonly waitingTools: ReadonlySet<string>
}

/** The link to one event. */
export const permalink = (agent: string, seq: number): string => `/a/${agent}/e/${seq}`

interface RowProps {
  readonly row: Row
  readonly context: RowContext
  readonly isTarget: boolean
  /** Part of what is compared: a turn that ends ends calls in rows that stay the same. */
  readonly isRunning: boolean
}

/** One row, with its time, a link to it, and a copy of it. */
export const RowView = memo(function RowView(props: RowProps) {
  const { row, context, isTarget } = props
  return (
    <div
      className={classNames(
        'group relative grid grid-cols-[minmax(0,1fr)] gap-x-3 px-3 py-1 sm:grid-cols-[4.25rem_minmax(0,1fr)]',
        isTarget && 'bg-accent/10 outline-1 -outline-offset-1 outline-accent',
        row.kind === 'turn' && 'border-t border-line pt-2',
      )}
    >
      <time
        dateTime={new Date(row.at).toISOString()}
        title={new Date(row.at).toLocaleString()}
        className="hidden pt-0.5 font-mono text-[0.6875rem] text-faint sm:block"
      >
        {clockText(row.at)}
      </time>
      <div className="min-w-0">
        <Content row={row} context={context} />
      </div>
      <div className="absolute top-0.5 right-2 flex rounded-md bg-panel opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
        <Copy text={rowText(row)} label="Copy this" />
        <Link
          href={permalink(context.agent, row.seq)}
          aria-label="Link to this"
          title="Link to this"
          className="rounded p-1 text-faint hover:bg-raise hover:text-fg"
        >
          <LinkIcon size={14} />
        </Link>
      </div>
    </div>
  )
})

function Content({ row, context }: { row: Row; context: RowContext }) {
  switch (row.kind) {
    case 'turn':
      return <TurnHead row={row} context={context} />
    case 'end':
      return <End end={row.end} />
    case 'text':
      return (
        <Helper isHelper={row.isHelper}>
          <Long row={row} text={row.text} context={context} show={(text) => <Prose text={text} />} />
        </Helper>
      )
    case 'thinking':
      return (
        <Helper isHelper={row.isHelper}>
          <Folded row={row} text={row.text} context={context} name="thinks" look="text-think italic" />
        </Helper>
      )
    case 'words':
      return (
        <Helper isHelper={row.isHelper}>
          <Folded row={row} text={row.text} context={context} name="told" look="text-dim" />
        </Helper>
      )
    case 'calls':
      return (
        <Helper isHelper={row.calls[0]?.isHelper ?? false}>
          <CallsView row={row} context={context} />
        </Helper>
      )
    case 'result':
      return (
        <>
          <p className="font-mono text-xs text-faint">↳ result of a call that is not here</p>
          <ResultView result={row.result} />
        </>
      )
    case 'note':
      return (
        <p
          className={classNames('break-words', NOTES[row.level].look)}
        >{`${NOTES[row.level].mark} ${visible(row.text)}`}</p>
      )
    case 'raw':
      return <Folded row={row} text={row.json} context={context} name={visibleLine(row.name)} look="text-dim" />
  }
}

const NOTES: Readonly<Record<Level, { mark: string; look: string }>> = {
  info: { mark: '•', look: 'text-dim' },
  warn: { mark: '▲', look: 'text-accent' },
  error: { mark: '✗', look: 'text-err' },
}

/** Helpers of the engine stand a step to the right. */
const Helper = ({ isHelper, children }: { isHelper: boolean; children: React.ReactNode }) =>
  isHelper ? <div className="border-l-2 border-line pl-3">{children}</div> : children

function TurnHead({ row, context }: { row: RowOf<'turn'>; context: RowContext }) {
  const senders = [...new Set(row.messages.map(({ from }) => visibleLine(from)))].join(', ')
  return (
    <>
      <p className="font-mono text-[0.8125rem] font-semibold text-accent">
        ◆ turn{senders && ` ← ${senders}`}
        {row.pending > 0 && <span className="font-normal text-faint"> · {row.pending} more pending</span>}
      </p>
      {row.messages.map(({ id, from, body }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages of a turn stay where they are; their numbers are a claim
        <div key={index} className="flex gap-2 text-dim">
          <span className="shrink-0 font-mono text-xs text-faint" title={`message ${id} from ${visibleLine(from)}`}>
            #{id}
          </span>
          <div className="min-w-0 flex-1">
            <Folded row={row} part={`${index}`} text={body} context={context} look="text-dim" />
          </div>
        </div>
      ))}
    </>
  )
}

function End({ end: { reason, detail, resetsAt, usage } }: { end: TurnEnd }) {
  const figures = usage && [
    spanText(usage.durationMs),
    `${tokensText(usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens)} in`,
    `${tokensText(usage.outputTokens)} out`,
    dollarsText(usage.costUsd),
  ]
  return (
    <p className={classNames('font-mono text-[0.8125rem] break-words', reason === 'ok' ? 'text-ok' : 'text-err')}>
      {reason === 'ok' ? '✓ turn ok' : `✗ turn ended: ${reason}`}
      {reason !== 'ok' && detail && <span>: {visible(detail)}</span>}
      {resetsAt !== undefined && <span> · until {new Date(resetsAt).toLocaleString()}</span>}
      {figures && <span className="text-faint"> · {figures.join(' · ')}</span>}
    </p>
  )
}

/** A text of which one line is shown until somebody opens it. */
function Folded(props: { row: Row; part?: string; text: Clip; context: RowContext; name?: string; look: string }) {
  const { row, part = '', text, context, name, look } = props
  const key = `${row.key} ${part}`
  const isOpen = context.opened.isOpen(key, false)
  const line = firstLine(text.text)
  const isOneLine = text.lines <= 1 && text.length <= 160
  const title = name && <span className="shrink-0 font-mono text-xs text-faint not-italic">{name}</span>
  if (isOneLine) {
    return (
      <p className={classNames('flex items-baseline gap-2', look)}>
        {title}
        <span className="min-w-0 break-words">{visible(line)}</span>
      </p>
    )
  }
  return (
    <>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => context.opened.toggle(key, isOpen)}
        className={classNames('flex w-full cursor-pointer items-baseline gap-2 rounded text-left hover:bg-raise', look)}
      >
        {title}
        <span className="min-w-0 truncate">{visibleLine(line)}</span>
        <span className="shrink-0 font-mono text-xs text-faint not-italic">
          {isOpen ? 'less' : text.lines > 1 ? `… ${text.lines} lines` : '…'}
        </span>
      </button>
      {isOpen && (
        <Whole row={row} part={part} text={text} context={context} show={(whole) => <Output text={whole} />} />
      )}
    </>
  )
}

/** A text that is shown; the rest of one that the row does not hold is fetched when somebody asks. */
function Long(props: { row: Row; text: Clip; context: RowContext; show: (text: string) => React.ReactNode }) {
  const { row, text, context, show } = props
  const isOpen = context.opened.isOpen(row.key, false)
  if (!isCut(text)) return show(text.text)
  if (isOpen) return <Whole row={row} part="" text={text} context={context} show={(whole) => show(whole.text)} />
  return (
    <>
      {show(text.text)}
      <button
        type="button"
        className="cursor-pointer text-info underline"
        onClick={() => context.opened.toggle(row.key, false)}
      >
        Show the other {text.length - text.text.length} characters
      </button>
    </>
  )
}

function Whole(props: {
  row: Row
  part: string
  text: Clip
  context: RowContext
  show: (text: Clip) => React.ReactNode
}) {
  const { row, part, text, context, show } = props
  const { data, error } = useQuery({
    queryKey: ['whole row', context.agent, row.key],
    queryFn: () => context.store.whole(row),
    enabled: isCut(text),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return (
    <>
      {show((data && textOf(data, part)) ?? text)}
      {error && <p className="text-xs text-err">The rest cannot be had: {visible(error.message)}</p>}
    </>
  )
}

/** The text of a row, or of one message of its head. */
function textOf(row: Row, part: string): Clip | undefined {
  if (row.kind === 'turn') return row.messages[Number(part)]?.body
  if (row.kind === 'raw') return row.json
  return 'text' in row && typeof row.text === 'object' ? row.text : undefined
}

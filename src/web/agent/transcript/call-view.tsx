import { useQuery } from '@tanstack/react-query'
import { Check, ChevronDown, ChevronRight, Hourglass, LoaderCircle, Minus, X } from 'lucide-react'
import { classNames } from '../../ui/class-names.ts'
import { visible, visibleLine } from '../../ui/visible.ts'
import { firstLine, isCut } from './clip.ts'
import { ChangeLines, Output } from './output.tsx'
import type { Call, CallResult, RowOf } from './row.ts'
import type { RowContext } from './row-view.tsx'

/** One call with its result, or lookups in a row. */
export function CallsView({ row, context }: { row: RowOf<'calls'>; context: RowContext }) {
  const [first] = row.calls
  if (!first?.isLookup)
    return row.calls.map((call) => <CallView key={call.key} call={call} row={row} context={context} />)
  const failed = row.calls.filter(({ result }) => result?.isError).length
  const key = `${row.key} lookups`
  const isOpen = context.opened.isOpen(key, failed > 0)
  const count = `${row.calls.length} ${row.calls.length === 1 ? 'lookup' : 'lookups'}`
  return (
    <>
      <Line
        isOpen={isOpen}
        toggle={() => context.opened.toggle(key, isOpen)}
        state={failed > 0 ? 'failed' : row.calls.some(context.isRunning) ? 'running' : 'done'}
      >
        <span className="text-dim">Explored · {count}</span>
        {failed > 0 && <span className="text-err"> · {failed} failed</span>}
        {!isOpen && <span className="truncate text-faint">{visibleLine(row.calls.at(-1)?.title ?? '')}</span>}
      </Line>
      {isOpen && (
        <div className="border-l border-line pl-2">
          {row.calls.map((call) => (
            <CallView key={call.key} call={call} row={row} context={context} />
          ))}
        </div>
      )}
    </>
  )
}

function CallView({ call, row, context }: { call: Call; row: RowOf<'calls'>; context: RowContext }) {
  const isRunning = context.isRunning(call)
  const isWaiting = isRunning && context.waitingTools.has(call.tool)
  const isOpen = context.opened.isOpen(call.key, call.isOpen || (call.result?.isError ?? false))
  return (
    <>
      <Line
        isOpen={isOpen}
        toggle={() => context.opened.toggle(call.key, isOpen)}
        state={isWaiting ? 'waiting' : stateOf(call, isRunning)}
      >
        <span className="text-info">{visibleLine(call.label)}</span>
        <span className="min-w-0 truncate">{visibleLine(call.title)}</span>
        {call.change && (
          <span className="shrink-0">
            <span className="text-ok">+{call.change.added}</span>{' '}
            <span className="text-err">−{call.change.removed}</span>
          </span>
        )}
        {isWaiting && <span className="shrink-0 text-accent">waits for your permission</span>}
      </Line>
      {isOpen ? (
        <WholeCall call={call} row={row} context={context} />
      ) : (
        call.result && !call.hidesSuccess && <Glance result={call.result} />
      )}
    </>
  )
}

type State = 'running' | 'waiting' | 'done' | 'failed' | 'unfinished'

function stateOf({ result }: Call, isRunning: boolean): State {
  if (result) return result.isError ? 'failed' : 'done'
  return isRunning ? 'running' : 'unfinished'
}

const STATES: Readonly<Record<State, { word: string; icon: React.ReactNode }>> = {
  running: { word: 'runs', icon: <LoaderCircle size={14} className="animate-spin text-think" /> },
  waiting: { word: 'waits for permission', icon: <Hourglass size={14} className="text-accent" /> },
  done: { word: 'done', icon: <Check size={14} className="text-ok" /> },
  failed: { word: 'failed', icon: <X size={14} className="text-err" /> },
  unfinished: { word: 'did not finish', icon: <Minus size={14} className="text-faint" /> },
}

/** The one line of a call: it opens and closes what is under it. */
function Line(props: { isOpen: boolean; toggle: () => void; state: State; children: React.ReactNode }) {
  const { icon, word } = STATES[props.state]
  return (
    <button
      type="button"
      aria-expanded={props.isOpen}
      onClick={props.toggle}
      className="flex w-full cursor-pointer items-center gap-1.5 rounded py-0.5 text-left font-mono text-[0.8125rem] hover:bg-raise"
    >
      {props.isOpen ? (
        <ChevronDown size={14} className="shrink-0 text-faint" />
      ) : (
        <ChevronRight size={14} className="shrink-0 text-faint" />
      )}
      <span className="shrink-0" title={word}>
        {icon}
        <span className="sr-only">{word}</span>
      </span>
      {props.children}
    </button>
  )
}

/** The first line of a result. */
function Glance({ result }: { result: CallResult }) {
  const more = result.text.lines - 1
  const line = visibleLine(firstLine(result.text.text))
  if (line === '' && result.imageCount === 0) return null
  return (
    <p className={classNames('flex gap-1.5 pl-6 font-mono text-xs', result.isError ? 'text-err' : 'text-faint')}>
      <span aria-hidden="true">↳</span>
      <span className="min-w-0 truncate">{line}</span>
      {more > 0 && <span className="shrink-0">… {result.text.lines} lines</span>}
      {result.imageCount > 0 && <span className="shrink-0">{pictures(result.imageCount)}</span>}
    </p>
  )
}

const pictures = (count: number): string => (count === 1 ? '1 picture' : `${count} pictures`)

/** All of a call; what the row does not hold is fetched. */
function WholeCall({ call, row, context }: { call: Call; row: RowOf<'calls'>; context: RowContext }) {
  const { data, error, isLoading } = useQuery({
    queryKey: ['whole call', context.agent, call.key, call.result?.seq],
    queryFn: async () => {
      const whole = await context.store.whole({ ...row, key: call.key, calls: [call] })
      return whole.kind === 'calls' ? whole.calls.find(({ key }) => key === call.key) : undefined
    },
    enabled: isShort(call),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const { body, change, result } = data ?? call
  return (
    <div className="flex flex-col gap-1.5 pt-0.5 pb-1.5 pl-6">
      {body && <Output text={body} />}
      {change && change.lines.length > 0 && <ChangeLines change={change} />}
      {result && (result.isError || !call.hidesSuccess) && <ResultView result={result} />}
      {isLoading && <p className="text-xs text-faint">The rest is on its way…</p>}
      {error && <p className="text-xs text-err">The rest cannot be had: {visible(error.message)}</p>}
      {!result && !context.isRunning(call) && <p className="text-xs text-faint">It did not finish.</p>}
    </div>
  )
}

const isShort = ({ body, change, result }: Call): boolean =>
  (body !== undefined && isCut(body)) ||
  (change !== undefined && change.more > 0) ||
  (result !== undefined && (isCut(result.text) || result.imageCount > 0))

export const ResultView = ({ result }: { result: CallResult }) => (
  <>
    {result.text.length > 0 && <Output text={result.text} isError={result.isError} />}
    {result.images.map((address, index) => (
      <img
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a result stay where they are
        key={index}
        src={address}
        alt={`Result, part ${index + 1}`}
        className="max-h-96 max-w-full self-start rounded-md border border-line"
      />
    ))}
    {result.text.length === 0 && result.imageCount === 0 && <p className="text-xs text-faint">Nothing came back.</p>}
  </>
)

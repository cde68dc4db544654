import { Download } from 'lucide-react'
import { useMemo } from 'react'
import { useSearchParams } from 'wouter'
import { useOp } from '../api/use-op.ts'
import { Button } from '../ui/button.tsx'
import { classNames } from '../ui/class-names.ts'
import { Copy } from '../ui/copy.tsx'
import { Filter } from '../ui/filter.tsx'
import { Empty } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Scroll } from '../ui/scroll.tsx'
import { ansiSpans } from './ansi.ts'
import { AnsiText } from './ansi-text.tsx'

const FOLLOW_EVERY_MS = 2_000
const LENGTHS = [100, 200, 1000, 5000]

/** What the container of an agent wrote; how it is shown stands in the address. */
export function Journal({ agent }: { agent: string }) {
  const { lines, text, isFollowed, isWrapped, set } = useJournalSettings()
  const query = useOp('logs', { unit: agent, lines }, { everyMs: isFollowed ? FOLLOW_EVERY_MS : undefined })
  const found = useMemo(
    () => query.data?.lines.filter((line) => line.text.toLowerCase().includes(text.toLowerCase())) ?? [],
    [query.data, text],
  )
  const all = () =>
    found
      .map((line) =>
        ansiSpans(line.text)
          .map(({ text }) => text)
          .join(''),
      )
      .join('\n')
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-2 border-b border-line p-2">
        <Filter
          label="Filter the journal"
          placeholder="Filter"
          value={text}
          onChange={(value) => set('q', value)}
          className="flex-1"
        />
        <select aria-label="Lines" value={lines} onChange={({ target }) => set('lines', target.value)}>
          {LENGTHS.map((length) => (
            <option key={length} value={length}>
              {length} lines
            </option>
          ))}
        </select>
        <Toggle label="follow" isOn={isFollowed} onChange={(isOn) => set('follow', isOn ? '1' : '')} />
        <Toggle label="wrap" isOn={isWrapped} onChange={(isOn) => set('wrap', isOn ? '1' : '')} />
        <Copy text={all()} label="Copy the journal" />
        <Button look="quiet" aria-label="Download the journal" onClick={() => download(`${agent}.log`, all())}>
          <Download size={14} />
        </Button>
      </div>
      <QueryView query={query}>
        {() =>
          found.length === 0 ? (
            <Empty>{text === '' ? 'It has written nothing.' : 'No line has that.'}</Empty>
          ) : (
            <Scroll label="Journal" className="min-h-0 flex-1 overflow-auto p-2 font-mono text-xs">
              {found.map(({ stream, text }, index) => (
                <JournalLine
                  // Lines have no number: the list is what it is.
                  // biome-ignore lint/suspicious/noArrayIndexKey: see above
                  key={index}
                  isError={stream === 'stderr'}
                  isWrapped={isWrapped}
                  text={text}
                />
              ))}
            </Scroll>
          )
        }
      </QueryView>
    </div>
  )
}

function useJournalSettings() {
  const [params, setParams] = useSearchParams()
  const asked = Number(params.get('lines'))
  return {
    lines: LENGTHS.includes(asked) ? asked : 200,
    text: params.get('q') ?? '',
    isFollowed: params.get('follow') === '1',
    isWrapped: params.get('wrap') === '1',
    set: (name: string, value: string) =>
      setParams(
        (before) => {
          const next = new URLSearchParams(before)
          if (value === '') next.delete(name)
          else next.set(name, value)
          return next
        },
        { replace: true },
      ),
  }
}

const Toggle = ({ label, isOn, onChange }: { label: string; isOn: boolean; onChange: (isOn: boolean) => void }) => (
  <label className="flex items-center gap-1">
    <input type="checkbox" checked={isOn} onChange={({ target }) => onChange(target.checked)} />
    {label}
  </label>
)

/** A line with its colours; what else a terminal would obey is spelled out. */
const JournalLine = ({ text, isError, isWrapped }: { text: string; isError: boolean; isWrapped: boolean }) => (
  <div className={classNames(isWrapped ? 'break-all whitespace-pre-wrap' : 'whitespace-pre', isError && 'text-accent')}>
    {isError && <span className="sr-only">stderr: </span>}
    <AnsiText text={text} />
  </div>
)

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}

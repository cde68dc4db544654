import {
  type FileDiffMetadata,
  getFiletypeFromFileName,
  processFile,
  type SelectedLineRange,
  setLanguageOverride,
} from '@pierre/diffs'
import { FileDiff, Virtualizer, WorkerPoolContextProvider } from '@pierre/diffs/react'
import { ChevronDown, ChevronRight, Quote } from 'lucide-react'
import { useEffect, useId, useMemo, useState } from 'react'
import { useKeys } from '../frame/keys.ts'
import { usePreferences } from '../frame/preferences.tsx'
import { Button } from '../ui/button.tsx'
import { type DiffFile, diffFiles, isLarge, quoteLines } from './diff-files.ts'
import { DIFF_LANGUAGES, DIFF_THEMES } from './diff-languages.ts'

export interface DiffPaneProps {
  /** As `git diff` writes it. */
  readonly text: string
  readonly view: 'split' | 'unified'
  /** Takes lines that the reader chose, with where they are. */
  readonly onQuote?: (quote: string) => void
}

const createWorker = (): Worker => new Worker(new URL('./diff-worker.ts', import.meta.url), { type: 'module' })

/** Without workers, or without drawing only what is in sight, a large change stops the whole page for seconds. */
export function DiffPane({ text, view, onQuote }: DiffPaneProps) {
  const files = useMemo(() => diffFiles(text), [text])
  return (
    <WorkerPoolContextProvider
      poolOptions={{ workerFactory: createWorker, poolSize: 2 }}
      highlighterOptions={{ theme: DIFF_THEMES, lineDiffType: 'word', preferredHighlighter: 'shiki-js' }}
    >
      <Files key={text} files={files} view={view} onQuote={onQuote} />
    </WorkerPoolContextProvider>
  )
}

function Files({ files, view, onQuote }: Omit<DiffPaneProps, 'text'> & { files: readonly DiffFile[] }) {
  const id = useId()
  const large = isLarge(files)
  const [viewed, setViewed] = useState<ReadonlySet<number>>(new Set())
  const [touched, setTouched] = useState<ReadonlyMap<number, boolean>>(new Map())
  const [current, setCurrent] = useState(0)
  const isOpen = (index: number): boolean => touched.get(index) ?? (!large && !viewed.has(index))
  const toggle = (index: number) => setTouched((now) => new Map(now).set(index, !isOpen(index)))
  const toggleViewed = (index: number) => {
    setViewed((now) => (now.has(index) ? new Set([...now].filter((one) => one !== index)) : new Set([...now, index])))
    setTouched((now) => new Map([...now].filter(([one]) => one !== index)))
  }
  const go = (index: number) => {
    const next = Math.max(0, Math.min(index, files.length - 1))
    setCurrent(next)
    document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'start' })
  }
  useKeys({ n: () => go(current + 1), p: () => go(current - 1), v: () => toggleViewed(current) })
  return (
    <div className="flex h-full min-h-0 flex-col">
      <p className="flex gap-3 border-b border-line px-3 py-1.5 text-xs text-faint">
        <span>
          {files.length} {files.length === 1 ? 'file' : 'files'} · {viewed.size} viewed
        </span>
        {large && <span>It is large: open the files that you want to see.</span>}
      </p>
      {files.length === 0 && <p className="p-3 text-faint">It changes nothing.</p>}
      <Virtualizer className="min-h-0 flex-1 overflow-auto">
        {files.map((file, index) => (
          // The same name may be there twice: a file that became a link.
          // biome-ignore lint/suspicious/noArrayIndexKey: the files of a diff stay where they are
          <section key={index} id={`${id}-${index}`} aria-label={file.name}>
            <header className="sticky top-0 z-10 flex items-center gap-2 border-y border-line bg-raise px-3 py-1.5 font-mono text-xs">
              <button
                type="button"
                aria-expanded={isOpen(index)}
                onClick={() => toggle(index)}
                className="flex min-w-0 flex-1 cursor-pointer items-center gap-1.5 text-left"
              >
                {isOpen(index) ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
                <span className="min-w-0 truncate" title={file.name}>
                  {file.name}
                </span>
                <span className="shrink-0 text-ok">+{file.added}</span>
                <span className="shrink-0 text-err">−{file.removed}</span>
              </button>
              <label className="flex shrink-0 cursor-pointer items-center gap-1.5">
                <input type="checkbox" checked={viewed.has(index)} onChange={() => toggleViewed(index)} />
                viewed
              </label>
            </header>
            {isOpen(index) && <FileView file={file} view={view} onQuote={onQuote} />}
          </section>
        ))}
      </Virtualizer>
    </div>
  )
}

/** Beyond so many lines those that moved within a change are not looked for. */
const MAX_MATCHED_LINES = 1_000

/** A file as the library reads it; undefined when it cannot, or when there are no lines to show. */
function readFile({ text, name, lines }: DiffFile): FileDiffMetadata | undefined {
  try {
    const file = processFile(text, {
      isGitDiff: true,
      throwOnError: true,
      disableLineMatching: lines > MAX_MATCHED_LINES,
    })
    if (!file || file.hunks.length === 0) return undefined
    const language = getFiletypeFromFileName(name)
    const isKnown = (DIFF_LANGUAGES as readonly (string | null)[]).includes(language)
    return isKnown ? file : setLanguageOverride(file, 'text')
  } catch {
    return undefined // It is shown as it is.
  }
}

function FileView({ file, view, onQuote }: { file: DiffFile } & Omit<DiffPaneProps, 'text'>) {
  const { theme } = usePreferences()
  const read = useMemo(() => readFile(file), [file])
  const [range, setRange] = useState<SelectedLineRange | null>(null)
  const options = useMemo(
    () => ({
      theme: DIFF_THEMES,
      themeType: theme === 'light' ? ('light' as const) : ('dark' as const),
      diffStyle: view,
      lineDiffType: 'word' as const,
      disableFileHeader: true,
      preferredHighlighter: 'shiki-js' as const,
      enableLineSelection: onQuote !== undefined,
      onLineSelected: setRange,
    }),
    [theme, view, onQuote],
  )
  // What was chosen in one view stands elsewhere in the other.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is about the view
  useEffect(() => setRange(null), [view])
  if (!read) {
    return <pre className="overflow-x-auto p-3 font-mono text-xs whitespace-pre-wrap text-dim">{file.text}</pre>
  }
  return (
    <>
      <FileDiff fileDiff={read} options={options} selectedLines={range} />
      {onQuote && range && (
        <Button
          look="main"
          className="sticky bottom-3 left-3 z-10"
          onClick={() => {
            onQuote(quoteLines(file, { side: range.side ?? 'additions', start: range.start, end: range.end }))
            setRange(null)
          }}
        >
          <Quote size={14} /> Quote in the denial
        </Button>
      )}
    </>
  )
}

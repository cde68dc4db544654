import { lazy, Suspense } from 'react'
import type { DiffPaneProps } from './diff-pane.tsx'

const load = () => import('./diff-pane.tsx')
const DiffPane = lazy(async () => ({ default: (await load()).DiffPane }))

/** Fetches what shows diffs while the diff itself is on its way: one after the other they take twice as long. */
export const preloadDiff = (): void => void load().catch(() => {}) // The diff asks again, and says why it cannot be shown.

/**
 * The output of `git diff`, side by side or in one column. It scrolls in itself: its parent gives the height. With `onQuote`
 * lines can be chosen and taken over into words.
 */
export const Diff = (props: DiffPaneProps) => (
  <Suspense fallback={<p className="p-3 text-faint">Loading the diff…</p>}>
    <DiffPane {...props} />
  </Suspense>
)

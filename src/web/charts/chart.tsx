import { lazy, Suspense, useState } from 'react'
import { Guard } from '../ui/panel.tsx'
import { type Bars, unitText } from './bars.ts'

const Plot = lazy(() => import('./plot.tsx').then(({ Plot }) => ({ default: Plot })))

/**
 * Charts, two beside each other where there is room; of an odd number the first has a row. They are for the eye: a table with
 * the same figures belongs below them.
 */
export const Charts = ({ label, bars }: { label: string; bars: readonly Bars[] }) => (
  <Guard what={label}>
    <section
      aria-label={label}
      className="grid shrink-0 grid-cols-[repeat(auto-fit,minmax(max(12rem,40%),1fr))] gap-3 border-b border-line px-3 py-2 [&>:first-child:nth-last-child(odd)]:col-span-full"
    >
      {bars.map((one) => (
        <Chart key={one.title} bars={one} />
      ))}
    </section>
  </Guard>
)

/** One chart, and the figures under the cursor; those of the newest point without one. */
function Chart({ bars }: { bars: Bars }) {
  const [pointed, setPointed] = useState<number | null>(null)
  const index = Math.min(pointed ?? Infinity, bars.points.length - 1)
  return (
    <figure className="min-w-0">
      <figcaption className="flex min-h-10 flex-wrap content-start gap-x-2 text-xs">
        <span>{bars.title}</span>
        <span className="text-faint">{bars.points[index]?.name}</span>
        <span className="flex w-full flex-wrap gap-x-2">
          {bars.series.map(({ label, colour, values }) => (
            <span key={label} className="flex items-center gap-1 whitespace-nowrap text-dim">
              <span aria-hidden="true" className="size-2" style={{ background: `var(--${colour})` }} />
              {label} {unitText[bars.unit](values[index] ?? 0)}
            </span>
          ))}
        </span>
      </figcaption>
      <div aria-hidden="true" className="h-36">
        <Suspense>
          <Plot bars={bars} onPoint={setPointed} />
        </Suspense>
      </div>
    </figure>
  )
}

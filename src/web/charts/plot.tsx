import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { usePreferences } from '../frame/preferences.tsx'
import { type Bars, stack, stepsOf, unitText } from './bars.ts'

/** Draws bars as large as its parent, in the colours of the theme. `onPoint` hears which point is under the cursor. */
export function Plot({ bars, onPoint }: { bars: Bars; onPoint: (index: number | null) => void }) {
  const { theme } = usePreferences()
  const box = useRef<HTMLDivElement>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are those of the theme
  useEffect(() => {
    const element = box.current
    if (!element) return
    const plot = new UPlot(
      { ...lookOf(bars), ...sizeOf(element), hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] } },
      dataOf(bars),
      element,
    )
    const observer = new ResizeObserver(() => plot.setSize(sizeOf(element)))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [bars, onPoint, theme])
  return (
    <div ref={box} className="size-full overflow-hidden [&_.u-cursor-x]:border-solid! [&_.u-cursor-x]:border-faint!" />
  )
}

const sizeOf = ({ clientWidth: width, clientHeight: height }: Element) => ({ width, height })

/** The tallest first: those that stand below are drawn over it. */
const dataOf = ({ points, series }: Bars): UPlot.AlignedData => [
  points.map((_, index) => index),
  ...stack(series).reverse(),
]

function lookOf({ points, unit, series }: Bars): Omit<UPlot.Options, 'width' | 'height'> {
  const { colour, font } = themeOf(document.documentElement)
  const axis = { stroke: colour('dim'), font, ticks: { show: false } }
  const paths = UPlot.paths.bars?.({ size: [0.7, 32] })
  return {
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: () => [-0.6, points.length - 0.4] },
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.05 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 24,
        gap: 4,
        space: 48,
        incrs: stepsOf('turns'),
        grid: { show: false },
        values: (_, places) => places.map((place) => points[place]?.mark ?? ''),
      },
      {
        ...axis,
        size: 46,
        gap: 4,
        space: 28,
        incrs: stepsOf(unit),
        grid: { stroke: colour('line'), width: 1 },
        values: (_, places) => places.map(unitText[unit]),
      },
    ],
    series: [
      {},
      ...series.toReversed().map((one) => ({ fill: colour(one.colour), width: 0, paths, points: { show: false } })),
    ],
  }
}

function themeOf(root: Element) {
  const style = getComputedStyle(root)
  return {
    colour: (name: string) => style.getPropertyValue(`--${name}`),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
  }
}

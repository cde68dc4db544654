import { NOTHING_SPENT, type Spent, type TurnRow, type UsageRow } from '../../wire/money.ts'
import { clockText, dollarsText, tokensText } from '../ui/figures.ts'
import { sumsBy } from './sums.ts'

export type Unit = 'tokens' | 'dollars' | 'turns'

/** One kind of bar. */
export interface Series {
  readonly label: string
  /** A colour of the themes, by name. */
  readonly colour: 'accent' | 'info' | 'ok' | 'think'
  /** One for each point. */
  readonly values: readonly number[]
}

/** Bars over points in the order of time, each as wide as any other; those of several series stand on one another. */
export interface Bars {
  readonly title: string
  readonly unit: Unit
  /** `mark` stands below a bar, `name` beside its figures. */
  readonly points: readonly { readonly mark: string; readonly name: string }[]
  readonly series: readonly Series[]
}

/** Tokens, cost and turns of each of the `days` that end with `today` (`2026-11-26`), of all agents and models together. */
export function barsByDay(rows: readonly UsageRow[], today: string, days: number): Bars[] {
  // The host may be further into its calendar than the browser.
  const last = rows.reduce((latest, { day }) => (day > latest ? day : latest), today)
  const sums = sumsBy(rows, ({ day }) => day)
  const shown = daysUntil(last, days)
  const points = shown.map((day) => ({ mark: day.slice(5), name: day }))
  const spent = shown.map((day) => sums.get(day) ?? NOTHING_SPENT)
  return [
    tokenBars(points, spent),
    costBars(points, spent),
    {
      title: 'Turns',
      unit: 'turns',
      points,
      series: [{ label: 'turns', colour: 'info', values: spent.map(({ turns }) => turns) }],
    },
  ]
}

/** Tokens and cost of each turn, oldest first; and the context after those of which it is known, if any. */
export function barsByTurn(turns: readonly TurnRow[]): Bars[] {
  const sorted = turns.toSorted((one, other) => one.at - other.at)
  const points = sorted.map(pointOf)
  const known = sorted.filter(({ contextTokens }) => contextTokens > 0)
  return [tokenBars(points, sorted), costBars(points, sorted), ...(known.length > 0 ? [contextBars(known)] : [])]
}

/** The day of a moment (unix ms) where the browser is: `2026-11-26`. */
export function localDay(at: number): string {
  const date = new Date(at)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** Where each series ends when it stands on those before it. */
export function stack(series: readonly Series[]): number[][] {
  const tops: number[][] = []
  for (const { values } of series) {
    const below = tops.at(-1)
    tops.push(values.map((value, index) => value + (below?.[index] ?? 0)))
  }
  return tops
}

/** A figure in its unit, for people. */
export const unitText: Record<Unit, (value: number) => string> = {
  tokens: tokensText,
  dollars: dollarsText,
  turns: String,
}

/** How far marks of a scale may be apart: never so little that two of them would read the same. */
export function stepsOf(unit: Unit): number[] {
  const steps = Array.from({ length: 40 }, (_, index) => Number(`${[1, 2, 5][index % 3]}e${Math.floor(index / 3) - 2}`))
  if (unit === 'dollars') return steps
  return steps.filter((step) => step >= 1 && !(unit === 'tokens' && step === 500))
}

/** Days of the calendar, so without a time zone: none is of 23 hours. */
const daysUntil = (last: string, days: number): string[] =>
  Array.from({ length: days }, (_, index) =>
    new Date(Date.parse(`${last}T00:00:00Z`) - (days - 1 - index) * 86_400_000).toISOString().slice(0, 10),
  )

const pointOf = ({ at }: TurnRow): Bars['points'][number] => ({
  mark: clockText(at).slice(0, 5),
  name: `${localDay(at)} ${clockText(at)}`,
})

type Figures = Omit<Spent, 'turns'>

const tokenBars = (points: Bars['points'], of: readonly Figures[]): Bars => ({
  title: 'Tokens',
  unit: 'tokens',
  points,
  series: [
    { label: 'in', colour: 'info', values: of.map(({ inputTokens }) => inputTokens) },
    { label: 'out', colour: 'accent', values: of.map(({ outputTokens }) => outputTokens) },
    { label: 'cached', colour: 'think', values: of.map((one) => one.cacheReadTokens + one.cacheWriteTokens) },
  ],
})

const costBars = (points: Bars['points'], of: readonly Figures[]): Bars => ({
  title: 'Cost',
  unit: 'dollars',
  points,
  series: [{ label: 'cost', colour: 'ok', values: of.map(({ dollars }) => dollars) }],
})

const contextBars = (turns: readonly TurnRow[]): Bars => ({
  title: 'Context',
  unit: 'tokens',
  points: turns.map(pointOf),
  series: [{ label: 'context', colour: 'info', values: turns.map(({ contextTokens }) => contextTokens) }],
})

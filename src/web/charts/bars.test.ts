import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NOTHING_SPENT, type TurnRow, type UsageRow } from '../../wire/money.ts'
import { clockText } from '../ui/figures.ts'
import { type Bars, barsByDay, barsByTurn, localDay, stack, stepsOf, unitText } from './bars.ts'

const usage = (day: string, more: Partial<UsageRow> = {}): UsageRow => ({
  ...NOTHING_SPENT,
  day,
  agent: 'alice',
  model: 'haiku',
  ...more,
})
const turn = (at: number, more: Partial<TurnRow> = {}): TurnRow => {
  const { turns, ...figures } = NOTHING_SPENT
  return { ...figures, agent: 'alice', at, model: 'haiku', reason: 'ok', message: 1, contextTokens: 0, ...more }
}
const named = (bars: readonly Bars[], title: string): Bars => {
  const found = bars.find((one) => one.title === title)
  assert.ok(found)
  return found
}
const valuesOf = (bars: readonly Bars[], title: string, label: string) =>
  named(bars, title).series.find((one) => one.label === label)?.values
const names = ({ points }: Bars) => points.map(({ name }) => name)

test('a day without turns is nothing, and the models of a day are added', () => {
  const bars = barsByDay(
    [
      usage('2026-03-01', { turns: 3, inputTokens: 5, dollars: 1 }),
      usage('2026-02-27', { turns: 1, inputTokens: 7, cacheReadTokens: 20, cacheWriteTokens: 2, dollars: 0.25 }),
      usage('2026-02-27', { turns: 2, inputTokens: 1, outputTokens: 9, dollars: 0.5, model: 'opus' }),
    ],
    '2026-03-01',
    4,
  )
  assert.deepEqual(names(named(bars, 'Turns')), ['2026-02-26', '2026-02-27', '2026-02-28', '2026-03-01'])
  assert.deepEqual(valuesOf(bars, 'Turns', 'turns'), [0, 3, 0, 3])
  assert.deepEqual(valuesOf(bars, 'Cost', 'cost'), [0, 0.75, 0, 1])
  assert.deepEqual(valuesOf(bars, 'Tokens', 'in'), [0, 8, 0, 5])
  assert.deepEqual(valuesOf(bars, 'Tokens', 'out'), [0, 9, 0, 0])
  assert.deepEqual(valuesOf(bars, 'Tokens', 'cached'), [0, 22, 0, 0])
})

test('where the day of the host is another than that of the browser, its newest is the last', () => {
  const ahead = barsByDay([usage('2026-11-27', { turns: 4 })], '2026-11-26', 2)
  assert.deepEqual(names(named(ahead, 'Turns')), ['2026-11-26', '2026-11-27'])
  assert.deepEqual(valuesOf(ahead, 'Turns', 'turns'), [0, 4])
  const behind = barsByDay([usage('2026-11-24', { turns: 4 })], '2026-11-26', 2)
  assert.deepEqual(valuesOf(behind, 'Turns', 'turns'), [0, 0])
})

test('turns stand in the order of their ends', () => {
  const [first, second] = [Date.UTC(2026, 10, 26, 3), Date.UTC(2026, 10, 26, 5)]
  const bars = barsByTurn([turn(second, { dollars: 2, outputTokens: 8 }), turn(first, { dollars: 1, inputTokens: 4 })])
  assert.deepEqual(valuesOf(bars, 'Cost', 'cost'), [1, 2])
  assert.deepEqual(valuesOf(bars, 'Tokens', 'in'), [4, 0])
  assert.deepEqual(valuesOf(bars, 'Tokens', 'out'), [0, 8])
  assert.deepEqual(
    names(named(bars, 'Cost')),
    [first, second].map((at) => `${localDay(at)} ${clockText(at)}`),
  )
})

test('the context is that after each turn of which it is known', () => {
  const bars = barsByTurn([turn(3000, { contextTokens: 900 }), turn(2000), turn(1000, { contextTokens: 400 })])
  assert.deepEqual(valuesOf(bars, 'Context', 'context'), [400, 900])
  assert.deepEqual(
    names(named(bars, 'Context')),
    [1000, 3000].map((at) => `${localDay(at)} ${clockText(at)}`),
  )
  assert.equal(named(bars, 'Cost').points.length, 3)
  assert.deepEqual(
    barsByTurn([turn(1000)]).map(({ title }) => title),
    ['Tokens', 'Cost'],
  )
})

test('series stand on one another', () => {
  const series = [
    { label: 'in', colour: 'info', values: [1, 2] },
    { label: 'out', colour: 'accent', values: [10, 0] },
    { label: 'cached', colour: 'think', values: [100, 5] },
  ] as const
  assert.deepEqual(stack(series), [
    [1, 2],
    [11, 2],
    [111, 7],
  ])
  assert.deepEqual(stack([]), [])
})

test('the marks of a scale read differently', () => {
  for (const unit of ['tokens', 'dollars', 'turns'] as const) {
    for (const step of stepsOf(unit)) {
      const marks = [0, 1, 2, 3, 4].map((n) => unitText[unit](n * step))
      assert.equal(new Set(marks).size, marks.length, `${unit} ${step}: ${marks}`)
    }
  }
})

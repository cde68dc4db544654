import { addSpent, NOTHING_SPENT, type Spent, type UsageRow } from '../../wire/money.ts'

/** What rows have used together, by what `keyOf` says of each; in the order in which it says so first. */
export function sumsBy(rows: readonly UsageRow[], keyOf: (row: UsageRow) => string): Map<string, Spent> {
  const sums = new Map<string, Spent>()
  for (const row of rows) {
    const key = keyOf(row)
    sums.set(key, addSpent(sums.get(key) ?? NOTHING_SPENT, row))
  }
  return sums
}

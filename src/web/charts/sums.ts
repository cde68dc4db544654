import { NOTHING_SPENT, type Spent, type UsageRow } from '../../wire/money.ts'

/** What rows have used together, by what `keyOf` says of each; in the order in which it says so first. */
export function sumsBy(rows: readonly UsageRow[], keyOf: (row: UsageRow) => string): Map<string, Spent> {
  const sums = new Map<string, Spent>()
  for (const row of rows) {
    const key = keyOf(row)
    sums.set(key, add(sums.get(key) ?? NOTHING_SPENT, row))
  }
  return sums
}

const add = (one: Spent, other: Spent): Spent => ({
  turns: one.turns + other.turns,
  inputTokens: one.inputTokens + other.inputTokens,
  outputTokens: one.outputTokens + other.outputTokens,
  cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens,
  cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens,
  dollars: one.dollars + other.dollars,
  durationMs: one.durationMs + other.durationMs,
})

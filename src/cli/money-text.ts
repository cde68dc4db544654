import type { Account, Spent } from '../wire/money.ts'

const BAR_CELLS = 10

/** Dollars with as many digits as say something: `$12.30`, `$0.0041`. */
export const dollarText = (dollars: number): string => `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`

/** A number of tokens, short: `950`, `12.3k`, `4.5M`. */
export function countText(n: number): string {
  if (n < 1000) return String(Math.round(n))
  const [size, unit] =
    n < 999_950 ? ([1e3, 'k'] as const) : n < 999_950_000 ? ([1e6, 'M'] as const) : ([1e9, 'G'] as const)
  return `${(n / size).toFixed(1)}${unit}`
}

/** Turns and dollars of a day in a few words; empty when there was nothing. */
export const spentText = ({ turns, dollars }: Spent): string =>
  turns === 0 && dollars === 0 ? '' : `${turns} ${turns === 1 ? 'turn' : 'turns'} ${dollarText(dollars)}`

/** How much of the closest limit is used, as a bar and a percentage: `████░░░░░░ 40%`. */
export function budgetText({ used, isOverridden }: Pick<Account, 'used' | 'isOverridden'>): string {
  if (used === null) return 'no limit'
  const full = Math.min(BAR_CELLS, Math.floor(used * BAR_CELLS))
  const bar = '█'.repeat(full) + '░'.repeat(BAR_CELLS - full)
  return `${bar} ${Math.floor(used * 100)}%${isOverridden ? ', overridden' : ''}`
}

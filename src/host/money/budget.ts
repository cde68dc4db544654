import { type Budget, type Spent, tokensOf } from '../../wire/money.ts'

interface Limit {
  readonly used: number
  readonly most: number
  /** As it is written: `12 of 10 turns`. */
  readonly text: string
}

function limitsOf({ turns, tokens, dollars }: Budget, spent: Spent): Limit[] {
  const limit = (most: number | undefined, used: number, text: string): Limit[] =>
    most === undefined ? [] : [{ used, most, text }]
  return [
    ...limit(turns, spent.turns, `${spent.turns} of ${turns} turns`),
    ...limit(tokens, tokensOf(spent), `${tokensOf(spent)} of ${tokens} tokens`),
    ...limit(dollars, spent.dollars, `$${spent.dollars.toFixed(4)} of $${dollars}`),
  ]
}

/** Which limit is reached, in words; undefined: none. */
export const findReached = (budget: Budget, spent: Spent): string | undefined =>
  limitsOf(budget, spent).find(({ used, most }) => used >= most)?.text

/** Share of the limit that is closest, 0 to 1 and more; null without a limit. */
export function shareUsed(budget: Budget, spent: Spent): number | null {
  const shares = limitsOf(budget, spent).map(({ used, most }) => (most === 0 ? 1 : used / most))
  return shares.length === 0 ? null : Math.max(...shares)
}

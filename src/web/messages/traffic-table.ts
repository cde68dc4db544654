import type { Message } from '../../wire/things.ts'

/** How many messages went from whom to whom. */
export interface TrafficTable {
  readonly names: readonly string[]
  readonly count: (from: string, to: string) => number
}

export function countTraffic(messages: readonly Pick<Message, 'from' | 'to'>[]): TrafficTable {
  const counts = new Map<string, number>()
  for (const { from, to } of messages) {
    const pair = `${from} ${to}`
    counts.set(pair, (counts.get(pair) ?? 0) + 1)
  }
  const names = [...new Set(messages.flatMap(({ from, to }) => [from, to]))].sort()
  return { names, count: (from, to) => counts.get(`${from} ${to}`) ?? 0 }
}

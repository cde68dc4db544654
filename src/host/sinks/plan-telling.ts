import type { NeedKind } from '../../wire/sinks.ts'
import type { Need } from '../../wire/things.ts'

/** Something that a sink was not told of yet. Times are of the steady clock, ms. */
export interface Untold {
  readonly need: Need
  readonly seenAt: number
}

export interface Telling {
  readonly untold: readonly Untold[]
  /** When something was told lately. */
  readonly toldAt: readonly number[]
  readonly now: number
  readonly isQuiet: boolean
  /** The quiet hours have just ended. */
  readonly isMorning: boolean
  readonly urgent: readonly NeedKind[]
  readonly times: TellingTimes
}

export interface TellingTimes {
  /** What retires sooner is not told. */
  readonly graceMs: number
  /** In so much time come at most `MOST` notifications. */
  readonly burstMs: number
}

export type Told = readonly [Need, ...Need[]]

/** Notifications in one `burstMs`; with more to tell the last of them is a digest. */
export const MOST = 5

/** What is told now, each entry as one notification, and when (in ms, at the latest) to look again. */
export function planTelling(telling: Telling): { notifications: Told[]; waitMs: number } {
  const { untold, toldAt, now, isQuiet, isMorning, urgent, times } = telling
  const isRipe = ({ seenAt }: Untold) => seenAt + times.graceMs <= now
  const ripe = untold.filter(isRipe).map(({ need }) => need)
  const due = isQuiet ? ripe.filter(({ kind }) => urgent.includes(kind)) : ripe
  const recent = toldAt.filter((at) => at + times.burstMs > now)
  const waits = untold.filter((one) => !isRipe(one)).map(({ seenAt }) => seenAt + times.graceMs - now)
  const [first, ...others] = due
  if (first && recent.length >= MOST) waits.push(Math.min(...recent) + times.burstMs - now)
  const waitMs = Math.min(...waits, Number.POSITIVE_INFINITY)
  if (!first || recent.length >= MOST) return { notifications: [], waitMs }
  const isDigest = isMorning || due.length > MOST - recent.length
  return { notifications: isDigest ? [[first, ...others]] : due.map((need): Told => [need]), waitMs }
}

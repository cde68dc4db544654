/** The day of a moment (unix ms) in the time zone of the host: `2026-11-26`. */
export function dayOf(at: number): string {
  const date = new Date(at)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** When the day after begins, unix ms: days of 23 and 25 hours have their own. */
export function nextMidnight(at: number): number {
  const date = new Date(at)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime()
}

/** The day `days` before the one of a moment (unix ms). */
export function dayBefore(at: number, days: number): string {
  const date = new Date(at)
  return dayOf(new Date(date.getFullYear(), date.getMonth(), date.getDate() - days, 12).getTime())
}

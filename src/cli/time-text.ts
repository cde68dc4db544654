const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const

/** A span for people: `12s`, `5m`, `3h`, `4d`; never negative, clocks may disagree. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ['s', 1]
  return `${Math.floor(seconds / size)}${unit}`
}

/** The time of day, local: `14:03:22`. */
export const clockText = (at: number): string => new Date(at).toTimeString().slice(0, 8)

/** Date and time, local: `2026-11-21 14:03:22`. */
export const dateText = (at: number): string => {
  const date = new Date(at)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'))
  return `${day.join('-')} ${clockText(at)}`
}

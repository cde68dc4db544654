const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** A size for people: `512 B`, `1.4 MiB`. */
export function sizeText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  const size = bytes / 1024 ** power
  return `${power === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${UNITS[power]}`
}

/** A count of tokens for people: `950`, `12k`, `1.3M`. */
export function tokensText(tokens: number): string {
  if (tokens < 1000) return String(tokens)
  if (tokens < 1e6) return `${Math.round(tokens / 1000)}k`
  return `${(tokens / 1e6).toFixed(1)}M`
}

/** Dollars for people; what is less than a cent is not called nothing. */
export const dollarsText = (dollars: number): string =>
  dollars > 0 && dollars < 0.01 ? '<$0.01' : `$${dollars.toFixed(2)}`

/** A span for people, in milliseconds: `850 ms`, `12.4 s`, `3 m 5 s`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} m ${Math.floor((ms % 60_000) / 1000)} s`
}

/** The time of day, local, 24 hours: `14:03:22`. */
export const clockText = (at: number): string => new Date(at).toTimeString().slice(0, 8)

/** A commit for people: its first 12 digits. */
export const shortSha = (sha: string): string => sha.slice(0, 12)

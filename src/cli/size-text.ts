const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** A size for people: `512 B`, `1.4 MiB`. */
export function sizeText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  const size = bytes / 1024 ** power
  return `${power === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${UNITS[power]}`
}

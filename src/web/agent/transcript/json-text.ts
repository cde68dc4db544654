/** A value as JSON, indented or on one line; words instead for one that nests deeper than can be written. */
export function jsonText(value: unknown, indent = 2): string {
  try {
    return JSON.stringify(value, null, indent) ?? ''
  } catch {
    return '(nested too deep to be shown)'
  }
}

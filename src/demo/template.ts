export type Values = Readonly<Record<string, string | number>>

/**
 * Replaces every `{name}` that has a value in the strings of a value; others stay as they are.
 * A string that is nothing but `{#name}`, or the placeholder of a number, becomes a number: a tool may want one.
 */
export function fillTemplate(value: unknown, values: Values): unknown {
  if (typeof value === 'string') return fillWhole(value, values) ?? fillText(value, values)
  if (Array.isArray(value)) return value.map((item) => fillTemplate(item, values))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillTemplate(item, values)]))
}

export const fillText = (text: string, values: Values): string =>
  text.replace(/\{(\w+)\}/g, (placeholder, name: string) => String(values[name] ?? placeholder))

function fillWhole(text: string, values: Values): number | undefined {
  const [, hash, name = ''] = /^\{(#?)(\w+)\}$/.exec(text) ?? []
  const found = values[name]
  if (found === undefined) return undefined
  return hash || typeof found === 'number' ? Number(found) : undefined
}

const AROUND = 60

/** The first string in a value that contains a text, in whatever case: what stands before it, the text, and what stands after. */
export function snippetOf(value: unknown, wanted: string): readonly [before: string, hit: string, after: string] {
  const text = findString(value, wanted.toLowerCase())
  if (text === undefined) return ['', wanted, '']
  const at = text.toLowerCase().indexOf(wanted.toLowerCase())
  const end = at + wanted.length
  return [text.slice(Math.max(0, at - AROUND), at), text.slice(at, end), text.slice(end, end + AROUND)]
}

function findString(value: unknown, wanted: string): string | undefined {
  if (typeof value === 'string') return value.toLowerCase().includes(wanted) ? value : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const inner of Object.values(value)) {
    const found = findString(inner, wanted)
    if (found !== undefined) return found
  }
  return undefined
}

const AROUND = 60

/** The first string in a value that contains a text, in whatever case: what stands before it, the text, and what stands after. */
export function snippetOf(value: unknown, wanted: string): readonly [before: string, hit: string, after: string] {
  const text = findString(value, wanted.toLowerCase())
  if (text === undefined) return ['', wanted, '']
  const at = text.toLowerCase().indexOf(wanted.toLowerCase())
  const end = at + wanted.length
  return [text.slice(Math.max(0, at - AROUND), at), text.slice(at, end), text.slice(end, end + AROUND)]
}

/** Without recursion: an agent says how deep it nests. */
function findString(value: unknown, wanted: string): string | undefined {
  const open = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'string' && next.toLowerCase().includes(wanted)) return next
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next).reverse()) open.push(inner)
  }
  return undefined
}

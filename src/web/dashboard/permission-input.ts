/** What a tool is to be called with, for reading: each text of a flat input under its name, with its line breaks. */
export function inputText(json: string): string {
  const input = parse(json)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return json
  return Object.entries(input)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}`)
    .join('\n')
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined // As it is, then: what cannot be taken apart can still be read.
  }
}

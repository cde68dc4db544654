import type { Message } from '../../wire/things.ts'

type Told = Pick<Message, 'from' | 'to' | 'body' | 'state' | 'id'>

/** Whether a message has every word of a filter: `from:bob`, `to:operator`, `is:dead`, `#12`, or a text that occurs in it. */
export function matches(message: Told, filter: string): boolean {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => matchesWord(message, word))
}

function matchesWord({ from, to, body, state, id }: Told, word: string): boolean {
  const [, field, value = ''] = /^(from|to|is):(.*)$/.exec(word) ?? []
  switch (field) {
    case 'from':
      return from.startsWith(value)
    case 'to':
      return to.startsWith(value)
    case 'is':
      return state.startsWith(value)
    default:
      if (/^#\d+$/.test(word)) return id === Number(word.slice(1))
      return [from, to, body.toLowerCase()].some((text) => text.includes(word))
  }
}

import { useState } from 'react'

/** What is being typed to an agent: kept in this tab over reloads and other pages. */
export function useDraft(agent: string): readonly [text: string, setText: (text: string) => void] {
  const key = `draft:${agent}`
  const [text, setText] = useState(() => sessionStorage.getItem(key) ?? '')
  return [
    text,
    (next) => {
      setText(next)
      if (next === '') sessionStorage.removeItem(key)
      else sessionStorage.setItem(key, next)
    },
  ]
}

import { useEffect, useRef } from 'react'
import { defaultKeybindingsHandlerIgnore, tinykeys } from 'tinykeys'
import { usePreferences } from './preferences.tsx'

export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** Single letters: never while somebody types or a dialog is open, and not where they are switched off. */
export function useKeys(keys: Keys): void {
  const { hasKeys } = usePreferences()
  useBinding(keys, (event) => !hasKeys || isElsewhere(event))
}

/** Keys with Ctrl or ⌘: everywhere. */
export function useChords(keys: Keys): void {
  useBinding(keys, () => false)
}

function useBinding(keys: Keys, ignore: (event: KeyboardEvent) => boolean): void {
  const current = useRef({ keys, ignore })
  current.current = { keys, ignore }
  const names = Object.keys(keys).join('\n')
  useEffect(() => {
    const handlers = names
      .split('\n')
      .filter(Boolean)
      .map((name) => [name, (event: KeyboardEvent) => current.current.keys[name]?.(event)] as const)
    return tinykeys(window, Object.fromEntries(handlers), { ignore: (event) => current.current.ignore(event) })
  }, [names])
}

const isElsewhere = (event: KeyboardEvent): boolean =>
  defaultKeybindingsHandlerIgnore(event) || document.querySelector('[role="dialog"], [role="menu"]') !== null

/** What `?` shows. */
export const KEYS_HELP: readonly (readonly [where: string, keys: readonly (readonly [key: string, what: string])[]])[] =
  [
    [
      'Everywhere',
      [
        ['Ctrl K', 'search for a page or an action'],
        ['?', 'this list'],
        ['/', 'filter'],
        ['g h', 'dashboard'],
        ['g a', 'first approval that waits'],
        ['g m', 'messages'],
        ['g d', 'deploys'],
        ['g 1 … 9', 'an agent, in the order of the list'],
      ],
    ],
    ['Dashboard', [['1 … 9', 'choose an answer of the first question']]],
    [
      'Approval',
      [
        ['Shift A', 'approve what is shown'],
        ['Shift D', 'deny'],
        ['[ ]', 'previous, next approval'],
        ['n p', 'next, previous file'],
        ['v', 'the file is viewed'],
        ['u', 'one column, or side by side'],
      ],
    ],
    [
      'Agent',
      [
        ['i', 'write a message'],
        ['f', 'search the transcript'],
        ['e', 'open or fold all'],
        ['Shift G', 'to the newest'],
        ['Esc', 'cancel the turn, when nothing is typed'],
        ['↑', 'the message you sent before'],
        ['Shift Enter', 'new line'],
        ['F6', 'leave the terminal, which has all other keys'],
      ],
    ],
  ]

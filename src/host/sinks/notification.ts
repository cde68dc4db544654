import { wordsOf } from '../../wire/need-words.ts'
import type { NeedKind } from '../../wire/sinks.ts'
import type { Need } from '../../wire/things.ts'
import { spelledOut } from '../repositories/spelled-out.ts'

/** What a sink tells the operator. */
export interface Notification {
  readonly title: string
  readonly text: string
  readonly isUrgent: boolean
  /** Of what waits. */
  readonly kinds: readonly NeedKind[]
  readonly keys: readonly string[]
  /** Page of the dashboard; absent where nobody knows its address. */
  readonly link?: string
}

export interface NotificationOptions {
  /** How much of each thing is told besides its title. */
  readonly characters: number
  readonly publicUrl?: string
  readonly urgent: readonly NeedKind[]
}

const MAX_TITLE = 120
/** Titles that a digest of many lists. */
const MOST_TITLES = 20

/** Says what waits: one thing, or several as a digest of their titles. */
export function notificationOf(needs: readonly [Need, ...Need[]], options: NotificationOptions): Notification {
  const [need, ...others] = needs
  const { characters, publicUrl, urgent } = options
  const kinds = [...new Set(needs.map(({ kind }) => kind))]
  const common = {
    isUrgent: kinds.some((kind) => urgent.includes(kind)),
    kinds,
    keys: needs.map(({ key }) => key),
  }
  const linkTo = (path: string) => (publicUrl ? { link: `${publicUrl.replace(/\/$/, '')}${path}` } : {})
  if (others.length === 0) {
    const { title, text } = wordsOf(need)
    return { ...common, ...linkTo(need.link), title: cut(title, MAX_TITLE), text: cut(text, characters) }
  }
  const titles = needs.slice(0, MOST_TITLES).map((one) => cut(wordsOf(one).title, MAX_TITLE))
  const rest = needs.length - titles.length
  return {
    ...common,
    ...linkTo('/'),
    title: `${needs.length} things wait for you`,
    text: [...titles, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'),
  }
}

function cut(text: string, characters: number): string {
  const shown = [...spelledOut(text)]
  if (shown.length <= characters) return shown.join('')
  return characters === 0 ? '' : `${shown.slice(0, characters - 1).join('')}…`
}

import { wordsOf } from '../../wire/need-words.ts'
import type { Need } from '../../wire/things.ts'
import { visibleLine } from '../ui/visible.ts'

/** What the browser tells the operator, outside of its pages. */
export interface Notice {
  /** The same from every tab: browsers show one of each. */
  readonly tag: string
  readonly title: string
  readonly body: string
  /** The page that a click opens. */
  readonly link: string
  /** Of what waits: when none of it does any more, the notice goes. */
  readonly keys: readonly string[]
}

export interface NoticePlan {
  readonly show: readonly Notice[]
  /** Tags of those that have gone. */
  readonly close: readonly string[]
}

/** With more than these, one notice stands for all: agents cannot cover the screen. */
const MOST_NOTICES = 4

/** What to tell when the needs were `before` and are `now`, while `open` are shown. */
export function planNotices(before: readonly Need[], now: readonly Need[], open: readonly Notice[]): NoticePlan {
  const known = new Set(before.map(({ key }) => key))
  const waiting = new Set(now.map(({ key }) => key))
  const left = open.filter(({ keys }) => keys.some((key) => waiting.has(key)))
  const close = open.filter((notice) => !left.includes(notice)).map(({ tag }) => tag)
  const come = now.filter(({ key }) => !known.has(key))
  if (come.length === 0) return { show: [], close }
  return { show: left.length + come.length > MOST_NOTICES ? [noticeOfAll(now)] : come.map(noticeOf), close }
}

function noticeOf(need: Need): Notice {
  const { title, text } = wordsOf(need)
  return { tag: need.key, title: visibleLine(title, 120), body: visibleLine(text), link: need.link, keys: [need.key] }
}

const noticeOfAll = (needs: readonly Need[]): Notice => ({
  tag: 'needs',
  title: `${needs.length} things wait for you`,
  body: '',
  link: '/',
  keys: needs.map(({ key }) => key),
})

/** Whether this browser notifies, or what keeps it from that. */
export type NoticeStanding = 'no_api' | 'insecure' | 'denied' | 'not_asked' | 'granted'

/** `permission` is what the browser says; undefined where it has no notifications. */
export function noticeStanding(isSecure: boolean, permission: NotificationPermission | undefined): NoticeStanding {
  if (!isSecure) return 'insecure'
  if (permission === undefined) return 'no_api'
  return permission === 'default' ? 'not_asked' : permission
}

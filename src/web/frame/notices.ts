import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'
import type { Need } from '../../wire/things.ts'
import { useLive } from '../api/live.ts'
import { type Notice, type NoticeStanding, noticeStanding, planNotices } from './plan-notices.ts'
import { usePreferences } from './preferences.tsx'

/** Whether this browser notifies now. */
export const currentStanding = (): NoticeStanding =>
  noticeStanding(isSecureContext, 'Notification' in globalThis ? Notification.permission : undefined)

/** Has the browser tell what begins to wait while no tab of the hive is looked at, if it may. */
export function useNotices(): void {
  const needs = useLive(({ state }) => state?.needs)
  const { isMuted } = usePreferences()
  const [, navigate] = useLocation()
  const before = useRef<readonly Need[]>(undefined)
  const shown = useRef(new Map<string, { notice: Notice; notification: Notification }>())
  useEffect(markFocus, [])
  useEffect(() => {
    const closeAll = () => {
      for (const { notification } of shown.current.values()) notification.close()
    }
    // A click on what a page left behind would do nothing.
    addEventListener('pagehide', closeAll)
    return () => removeEventListener('pagehide', closeAll)
  }, [])
  useEffect(() => {
    if (!needs) return
    const open = [...shown.current.values()].map(({ notice }) => notice)
    const { show, close } = planNotices(before.current ?? needs, needs, open)
    before.current = needs
    for (const tag of close) {
      shown.current.get(tag)?.notification.close()
      shown.current.delete(tag)
    }
    if (show.length === 0 || isMuted || currentStanding() !== 'granted') return
    const showAll = async () => {
      if (await isLookedAt()) return
      for (const notice of show) {
        // It may have gone meanwhile.
        if (!before.current?.some(({ key }) => notice.keys.includes(key))) continue
        const notification = notify(notice, () => navigate(notice.link))
        if (notification) shown.current.set(notice.tag, { notice, notification })
      }
    }
    void showAll()
  }, [needs, isMuted, navigate])
}

/** Shows a notice. Undefined where the browser lets no page do that by itself, as on Android; title and icon say it still. */
export function notify({ tag, title, body }: Omit<Notice, 'link' | 'keys'>, onClick = () => {}) {
  try {
    const notification = new Notification(title, { tag, body })
    notification.onclick = () => {
      window.focus()
      onClick()
      notification.close()
    }
    return notification
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

const LOOKED_AT = 'hive-looked-at'

/** Holds a lock while this tab is looked at, by which others know: it goes with the tab, however that ends. */
function markFocus(): (() => void) | undefined {
  // Beyond localhost without TLS there are no locks, and no notifications either.
  if (!isSecureContext) return undefined
  let release: (() => void) | undefined
  const hold = () => {
    if (release || !document.hasFocus()) return
    const held = Promise.withResolvers<void>()
    release = held.resolve
    void navigator.locks.request(LOOKED_AT, { mode: 'shared' }, () => held.promise)
  }
  const letGo = () => {
    release?.()
    release = undefined
  }
  addEventListener('focus', hold)
  addEventListener('blur', letGo)
  hold()
  return () => {
    removeEventListener('focus', hold)
    removeEventListener('blur', letGo)
    letGo()
  }
}

async function isLookedAt(): Promise<boolean> {
  if (document.hasFocus()) return true
  const { held = [] } = await navigator.locks.query()
  return held.some(({ name }) => name === LOOKED_AT)
}

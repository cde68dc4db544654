import { useState } from 'react'
import { currentStanding, notify } from '../frame/notices.ts'
import type { NoticeStanding } from '../frame/plan-notices.ts'
import { usePreferences } from '../frame/preferences.tsx'
import { Button } from '../ui/button.tsx'
import { useToast } from '../ui/toast.tsx'

const INSTEAD = 'ntfy or a webhook in the config file reaches you instead.'
const WORDS: Readonly<Record<NoticeStanding, string>> = {
  granted: 'This browser notifies you of what needs you, while no tab of the hive is looked at.',
  not_asked: 'This browser can notify you of what needs you.',
  denied: `This browser was told to refuse notifications of this page: allow them in its settings, or ${INSTEAD}`,
  insecure: `This browser lets no page without TLS notify, except on localhost: ${INSTEAD}`,
  no_api: `This browser has no notifications: ${INSTEAD}`,
}

/** Whether this browser notifies, and what to do so that it does, or does not. */
export function BrowserNotices() {
  const [standing, setStanding] = useState(currentStanding)
  const { isMuted, change } = usePreferences()
  const toast = useToast()
  const tryIt = () => {
    const notification = notify({ tag: 'test', title: 'hyperhive', body: 'This is how you hear of what needs you.' })
    if (!notification) toast.problem('This browser lets no page notify by itself', INSTEAD)
  }
  const ask = async () => {
    await Notification.requestPermission()
    const next = currentStanding()
    setStanding(next)
    if (next === 'granted') tryIt()
  }
  return (
    <div className="border-b border-line">
      <p className="flex flex-wrap items-center gap-3 p-3">
        <span className="min-w-0 flex-1 text-dim">{WORDS[standing]}</span>
        {standing === 'not_asked' && <Button onClick={() => void ask()}>Allow notifications</Button>}
        {standing === 'granted' && <Button onClick={tryIt}>Try it</Button>}
      </p>
      <label className="flex items-center gap-1.5 px-3 pb-3">
        <input type="checkbox" checked={isMuted} onChange={({ target }) => change({ isMuted: target.checked })} />
        mute this browser
      </label>
    </div>
  )
}

import { useEffect, useState } from 'react'
import { useHive, useLive } from '../api/live.ts'
import { Button } from '../ui/button.tsx'

/** Says that what is shown may be old, and when it is tried again. A blip of one attempt is no news. */
export function ConnectionBar() {
  const { stream } = useHive()
  const connection = useLive((live) => live.connection)
  if (connection.is === 'live' || connection.is === 'refused' || connection.failures < 2) return null
  return (
    <div role="alert" className="flex flex-wrap items-center justify-center gap-2 bg-err px-3 py-1 text-center text-bg">
      Disconnected from the hive. What you see may be stale; actions are disabled.
      {connection.is === 'waiting' && <Countdown until={connection.until} />}
      <Button className="min-h-6 py-0" onClick={() => stream.retry()}>
        Retry now
      </Button>
    </div>
  )
}

/** Seconds until a time; not read aloud each second. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500)
    return () => clearInterval(timer)
  }, [])
  return <span aria-hidden="true">Retrying in {Math.max(0, Math.ceil((until - now) / 1000))} s</span>
}

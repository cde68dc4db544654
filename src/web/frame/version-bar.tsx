import { useEffect, useRef } from 'react'
import { useLive } from '../api/live.ts'
import { Button } from '../ui/button.tsx'

/** The daemon is another one than that this page came from: it may say and do other things. A hidden page reloads by itself. */
export function VersionBar() {
  const running = useLive(({ state }) => state && `${state.status.version} ${state.status.revision}`)
  const first = useRef(running)
  first.current ??= running
  const isOld = running !== first.current
  useEffect(() => {
    if (!isOld) return
    const reload = () => document.hidden && location.reload()
    reload()
    document.addEventListener('visibilitychange', reload)
    return () => document.removeEventListener('visibilitychange', reload)
  }, [isOld])
  if (!isOld) return null
  return (
    <div role="status" className="flex items-center justify-center gap-2 bg-raise px-3 py-1 text-accent">
      hyperhive was updated.
      <Button className="min-h-6 py-0" onClick={() => location.reload()}>
        Reload
      </Button>
    </div>
  )
}

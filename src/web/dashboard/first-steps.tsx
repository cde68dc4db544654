import { Circle, CircleCheck } from 'lucide-react'
import { Link } from 'wouter'
import { useLive } from '../api/live.ts'
import { Panel } from '../ui/panel.tsx'
import { firstSteps } from './first-step.ts'

/** What a new hive needs, in order; not there once it works. */
export function FirstSteps() {
  const state = useLive((live) => live.state)
  const steps = state && firstSteps(state)
  if (!steps) return null
  return (
    <Panel title="First steps">
      <ol className="p-2">
        {steps.map(({ what, isDone, link }) => (
          <li key={what} className="flex items-center gap-2 px-1 py-1">
            {isDone ? (
              <CircleCheck size={16} aria-label="done" className="text-ok" />
            ) : (
              <Circle size={16} aria-label="to do" className="text-faint" />
            )}
            {isDone || link === undefined ? (
              <span className="text-dim">{what}</span>
            ) : (
              <Link href={link} className="text-info underline">
                {what}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </Panel>
  )
}

import { useLive } from '../api/live.ts'
import { Count } from '../ui/badge.tsx'
import { Panel } from '../ui/panel.tsx'
import { Ago } from '../ui/time.tsx'
import { Unreadable } from '../ui/unreadable.tsx'
import { visible } from '../ui/visible.ts'

/** What fails in the hive itself again and again: never silent. */
export function Problems() {
  const errors = useLive(({ state }) => state?.errors) ?? []
  const rows = useLive(({ unreadable }) => unreadable)
  if (errors.length + rows.length === 0) return null
  return (
    <Panel title="Problems" beside={<Count of={errors.length + rows.length} isUrgent />}>
      <Unreadable rows={rows} />
      {errors.map(({ where, problem, since }) => (
        <p key={where} className="border-b border-line px-3 py-2 break-words text-err last:border-0">
          <span className="font-mono text-xs">{visible(where)}</span> {visible(problem)} <Ago at={since} />
        </p>
      ))}
    </Panel>
  )
}

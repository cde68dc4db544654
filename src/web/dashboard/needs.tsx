import type { Need } from '../../wire/things.ts'
import { useLive } from '../api/live.ts'
import { useOp } from '../api/use-op.ts'
import { Count } from '../ui/badge.tsx'
import { Empty, Guard, Panel } from '../ui/panel.tsx'
import { NeedRow } from './need-row.tsx'

/** Everything that waits for the operator, the oldest first. */
export function Needs() {
  const needs = useLive(({ state }) => state?.needs) ?? []
  const firstQuestion = needs.find(({ kind }) => kind === 'question')?.key
  return (
    <Panel title="Needs you" beside={<Count of={needs.length} isUrgent={needs.length > 0} />}>
      {needs.length === 0 && <NothingWaits />}
      <ul>
        {needs.map((need: Need) => (
          <li key={need.key} className="border-b border-line last:border-0">
            <Guard what={need.key}>
              <NeedRow need={need} takesNumbers={need.key === firstQuestion} />
            </Guard>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

/** And what was decided last. */
function NothingWaits() {
  const { data } = useOp('pending', { all: true, limit: 1 })
  const last = data?.approvals.at(-1)
  return (
    <Empty>
      Nothing is waiting for you.
      {last && ` The last decision, on ${last.agent} (#${last.id}), ended as ${last.state}.`}
    </Empty>
  )
}

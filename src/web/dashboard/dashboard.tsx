import { useAttention } from '../frame/attention.ts'
import { Agents } from './agents.tsx'
import { DeployLog } from './deploy-log.tsx'
import { FirstSteps } from './first-steps.tsx'
import { KeptState } from './kept-state.tsx'
import { MessageFlow } from './message-flow.tsx'
import { Needs } from './needs.tsx'
import { OperatorInbox } from './operator-inbox.tsx'
import { Problems } from './problems.tsx'

/** What waits, who works, what was said and what was deployed. */
export function Dashboard() {
  useAttention('')
  return (
    <main className="grid flex-1 grid-cols-1 items-start gap-3 p-3 lg:grid-cols-[minmax(0,5fr)_minmax(18rem,2fr)]">
      <h1 className="sr-only">Dashboard</h1>
      <div className="flex min-w-0 flex-col gap-3">
        <Problems />
        <FirstSteps />
        <Needs />
        <Agents />
        <OperatorInbox />
        <DeployLog />
        <KeptState />
      </div>
      <MessageFlow />
    </main>
  )
}

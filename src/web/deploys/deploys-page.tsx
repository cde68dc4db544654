import { useSearchParams } from 'wouter'
import { useLive } from '../api/live.ts'
import { useAttention } from '../frame/attention.ts'
import { Count } from '../ui/badge.tsx'
import { Panel } from '../ui/panel.tsx'
import { DeployList } from './deploy-list.tsx'
import { useDeploys } from './use-deploys.ts'

/** What was deployed when, newest first; of one agent where the address names it. */
export function DeploysPage() {
  useAttention('Deploys')
  const [params, setParams] = useSearchParams()
  const agent = params.get('agent') ?? ''
  const agents = useLive(({ state }) => state?.agents) ?? []
  const query = useDeploys({ agent: agent || undefined, limit: 200 })
  return (
    <main className="mx-auto flex w-full max-w-6xl flex-1 flex-col gap-3 p-3">
      <h1 className="sr-only">Deploys</h1>
      <Panel
        title="Deploys"
        beside={query.data && <Count of={query.data.deploys.length} />}
        actions={
          <select
            aria-label="Agent"
            value={agent}
            onChange={({ target }) => setParams(target.value === '' ? {} : { agent: target.value }, { replace: true })}
          >
            <option value="">all agents</option>
            {agents.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        }
      >
        <DeployList query={query} />
      </Panel>
    </main>
  )
}

import { DeployList } from '../deploys/deploy-list.tsx'
import { useDeploys } from '../deploys/use-deploys.ts'
import { LinkButton } from '../ui/button.tsx'
import { Panel } from '../ui/panel.tsx'

/** The last deploys, newest first. */
export function DeployLog() {
  const query = useDeploys({ limit: 5 })
  return (
    <Panel
      title="Deploy log"
      actions={
        <LinkButton look="quiet" href="/deploys">
          All
        </LinkButton>
      }
    >
      <DeployList query={query} />
    </Panel>
  )
}

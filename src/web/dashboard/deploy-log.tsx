import { DeployRow } from '../deploys/deploy-row.tsx'
import { useDeploys } from '../deploys/use-deploys.ts'
import { LinkButton } from '../ui/button.tsx'
import { Empty, Panel } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Unreadable } from '../ui/unreadable.tsx'

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
      <QueryView query={query}>
        {({ deploys, errors }) => (
          <>
            <Unreadable rows={errors} />
            {deploys.length === 0 && <Empty>Nothing was deployed yet: what you approve is.</Empty>}
            <ul>
              {deploys.toReversed().map((deploy) => (
                <DeployRow key={`${deploy.agent} ${deploy.tag}`} deploy={deploy} />
              ))}
            </ul>
          </>
        )}
      </QueryView>
    </Panel>
  )
}

import { Empty } from '../ui/panel.tsx'
import { QueryView } from '../ui/query-view.tsx'
import { Unreadable } from '../ui/unreadable.tsx'
import { DeployRow } from './deploy-row.tsx'
import type { useDeploys } from './use-deploys.ts'

/** Deploys, newest first. */
export const DeployList = ({ query }: { query: ReturnType<typeof useDeploys> }) => (
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
)

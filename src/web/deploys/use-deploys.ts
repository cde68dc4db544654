import { useLive } from '../api/live.ts'
import { useOp } from '../api/use-op.ts'

/** The newest deploys, of one agent or of all; fetched again when one begins or ends. */
export function useDeploys({ agent, limit }: { agent?: string; limit: number }) {
  const when = useLive(({ state }) => state?.approvals.map(({ id, state }) => `${id} ${state}`).join())
  return useOp('deploys', { agent, limit }, { when })
}

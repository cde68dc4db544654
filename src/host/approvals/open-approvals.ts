import { ApprovalStore } from './approval-store.ts'
import { Approvals, type ApprovalsOptions } from './approvals.ts'
import { DeployLog } from './deploy-log.ts'
import { Deployer, type DeployerOptions } from './deployer.ts'

/** Made here. */
type Parts = 'store' | 'deployLog' | 'deployer'
type OpenApprovalsOptions = Omit<DeployerOptions & ApprovalsOptions, Parts>

/** Puts together what decides, and what sees decisions through. Dispose of the deployer; nothing goes on before `resume`. */
export function openApprovals(options: OpenApprovalsOptions): { approvals: Approvals; deployer: Deployer } {
  const parts = { ...options, store: new ApprovalStore(options.db), deployLog: new DeployLog(options.db) }
  const deployer = new Deployer(parts)
  return { approvals: new Approvals({ ...parts, deployer }), deployer }
}

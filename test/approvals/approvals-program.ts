import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AgentRegistry } from '../../src/host/agents/registry.ts'
import { ApprovalStore } from '../../src/host/approvals/approval-store.ts'
import { Approvals } from '../../src/host/approvals/approvals.ts'
import { DeployLog } from '../../src/host/approvals/deploy-log.ts'
import { AuditLog } from '../../src/host/audit-log.ts'
import { openHiveDatabase } from '../../src/host/database.ts'
import { AppliedRepositories } from '../../src/host/repositories/applied-repositories.ts'
import { serveOps } from '../../src/kit/op-server.ts'
import { approvalsOps } from './approvals-ops.ts'

/** `node approvals-program.ts DIRECTORY SOCKET`: approvals whose power is to be cut. */
const [, , directory = '', socket = ''] = process.argv
const db = openHiveDatabase(join(directory, 'hive.sqlite'))
const applied = join(directory, 'applied')
mkdirSync(applied)
const repositories = new AppliedRepositories({ directory: applied })
await repositories.sweep()
const approvals = new Approvals({
  db,
  store: new ApprovalStore(db),
  repositories,
  registry: new AgentRegistry(db),
  deployer: {
    enqueue: () => {},
    finish: async () => {},
    resume: () => {},
    progress: () => ({ step: null, position: null }),
  },
  deployLog: new DeployLog(db),
  audit: new AuditLog(db),
  onChange: () => {},
  passes: () => {},
})
await serveOps(
  approvalsOps,
  {
    async seed({ agent }) {
      await repositories.seed(agent, { 'agent.json': '{}\n' }, 'begin')
      return {}
    },
    async propose({ agent, sha, pack }) {
      const request = {
        agent,
        sha,
        pack: Buffer.from(pack, 'base64'),
        requester: 'manager',
        description: undefined,
      } as const
      const { id, base } = await approvals.requestApplyCommit(request)
      return { id, base: base as string }
    },
    async approve(shown) {
      await approvals.approve(shown, 'operator')
      return {}
    },
  },
  { path: socket },
)
process.stdout.write('ready\n')

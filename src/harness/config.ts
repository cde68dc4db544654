import { z } from 'zod'
import { agentOps, managerOps } from '../wire/agent-ops.ts'
import { roleOf } from '../wire/names.ts'

const Env = z.object({
  HIVE_LABEL: z.string(),
  HIVE_NETWORK: z.enum(['none', 'host']).default('none'),
})

/** Where things are in a container; the environment only says whose container it is. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const { HIVE_LABEL, HIVE_NETWORK } = Env.parse(env)
  const role = roleOf(HIVE_LABEL)
  return {
    label: HIVE_LABEL,
    role,
    /** What this socket understands. */
    ops: role === 'manager' ? managerOps : agentOps,
    network: HIVE_NETWORK,
    socket: '/run/hive/mcp.sock',
    egressSocket: '/run/egress/egress.sock',
    claude: '/opt/hive/claude',
    revisionFile: '/opt/hive/revision',
    state: '/state',
    claudeConfig: '/root/.claude',
    /** Lives as long as the container. */
    scratch: '/tmp/hive',
    /** In the login's directory: only the agent itself can write there, and it survives a restart. */
    sessionFile: '/root/.claude/hive-session',
  }
}
export type Config = ReturnType<typeof loadConfig>

import { z } from 'zod'
import { AGENT_CONFIG_FILE, CONFIG_MOUNT } from '../wire/agent-config.ts'
import { agentOps, managerOps } from '../wire/agent-ops.ts'
import { HiveError } from '../wire/errors.ts'
import { roleOf } from '../wire/names.ts'

const Env = z.object({
  HIVE_LABEL: z.string(),
  HIVE_NETWORK: z.enum(['none', 'host']).default('none'),
  HIVE_PORT: z.string().optional(),
  HIVE_DASHBOARD_PORT: z.string().optional(),
  /** Commit of the configuration that the container was started with. */
  HIVE_DEPLOYMENT: z.string().optional(),
})

/** Where things are in a container; the environment only says whose container it is. Throws `bad_input` when it does not. */
export function loadConfig(env: NodeJS.ProcessEnv) {
  const known = Env.safeParse(env)
  if (!known.success) {
    const names = known.error.issues.map(({ path }) => path.join('.')).join(', ')
    throw new HiveError('bad_input', `this does not look like the container of an agent: ${names} not set`, {
      hint: 'set HIVE_LABEL to the name of the agent',
    })
  }
  const { HIVE_LABEL, HIVE_NETWORK, HIVE_DEPLOYMENT } = known.data
  const role = roleOf(HIVE_LABEL)
  return {
    label: HIVE_LABEL,
    role,
    /** What this socket understands. */
    ops: role === 'manager' ? managerOps : agentOps,
    network: HIVE_NETWORK,
    deployment: HIVE_DEPLOYMENT,
    /** Tells what runs in the container whose it is. */
    identity: Object.fromEntries(Object.entries(known.data).filter(([, value]) => value !== undefined)) as Record<
      string,
      string
    >,
    socket: '/run/hive/mcp.sock',
    egressSocket: '/run/egress/egress.sock',
    /** As it is deployed. */
    agentConfig: `${CONFIG_MOUNT}/${AGENT_CONFIG_FILE}`,
    claude: '/opt/hive/claude',
    revisionFile: '/opt/hive/revision',
    state: '/state',
    /** Of the manager: others have none. */
    repositories:
      role === 'manager' ? { applied: '/applied', proposed: '/proposed', meta: '/meta', home: '/root' } : undefined,
    claudeConfig: '/root/.claude',
    /** Lives as long as the container. */
    scratch: '/tmp/hive',
    /** In the login's directory: only the agent itself can write there, and it survives a restart. */
    sessionFile: '/root/.claude/hive-session',
  }
}
export type Config = ReturnType<typeof loadConfig>

import { HiveError } from '../../wire/errors.ts'
import { containerName, PROXY_URL } from '../../wire/names.ts'
import type { ContainerRuntime } from '../containers/runtime.ts'

/** It tells the provider that the login is void. */
const TIMEOUT_MS = 60_000
const MAX_BYTES = 16 * 1024

/**
 * Removes the login that an agent has in its files, and voids it at the provider, inside the agent's container and as the agent.
 * The harness notices by itself. Gives what the program said. Throws `unavailable` when it failed, `conflict` when the agent is down.
 */
export async function logOut(
  runtime: Pick<ContainerRuntime, 'exec'>,
  agent: string,
  network: 'none' | 'host',
): Promise<string> {
  const env = [
    'HOME=/root',
    'CLAUDE_CONFIG_DIR=/root/.claude',
    ...(network === 'none' ? [`HTTPS_PROXY=${PROXY_URL}`] : []),
  ]
  const argv = ['env', ...env, '/opt/hive/claude', 'auth', 'logout']
  const { code, stdout, stderr } = await runtime.exec(containerName(agent), argv, {
    timeoutMs: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  })
  const said = `${stdout}\n${stderr}`.trim()
  if (code === 0) return said
  throw new HiveError('unavailable', `${agent} was not logged out: ${said || `exit code ${code}`}`, {
    hint: `hive logs ${agent}`,
  })
}

import { agentPort, containerName } from '../../wire/names.ts'
import type { App } from '../app-dir.ts'
import type { ContainerSpec } from '../containers/runtime.ts'
import { agentMounts, agentUid, type Layout } from '../layout.ts'
import { limitsOf } from './agent-settings.ts'
import type { Deployable } from './deployments.ts'
import type { AgentRow } from './registry.ts'

/** What the containers of all agents have in common. */
export interface ContainerSettings {
  readonly layout: Layout
  readonly app: App
  readonly network: ContainerSpec['network']
  readonly limits: ContainerSpec['limits']
  readonly dashboardPort: number
  readonly daemonUid: number
}

/** The container of an agent that runs with `deployed`. No secret is in it: those travel in the answer to hello. */
export function specOf(row: AgentRow, deployed: Deployable, settings: ContainerSettings): ContainerSpec {
  const { layout, app, network, limits, dashboardPort, daemonUid } = settings
  return {
    name: containerName(row.name),
    app: app.revision,
    // Without its inspector: any process in the sandbox could open that with a signal, and be the harness.
    argv: ['/opt/hive/node', '--disable-sigusr1', '/opt/hive/harness.mjs', 'serve'],
    env: {
      HIVE_LABEL: row.name,
      HIVE_PORT: String(agentPort(row.name)),
      HIVE_DASHBOARD_PORT: String(dashboardPort),
      HIVE_NETWORK: network,
      HIVE_DEPLOYMENT: deployed.sha,
    },
    mounts: agentMounts(layout, row.name, { appDir: app.directory, configDir: deployed.directory }),
    uid: agentUid(row.slot, daemonUid),
    network,
    limits: limitsOf(deployed.config, limits),
  }
}

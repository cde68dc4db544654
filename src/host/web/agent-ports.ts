import { agentPort } from '../../wire/names.ts'

/** The ports of agents: the oldest of those that share one has it, and none is the dashboard's. `agents`: the oldest first. */
export function assignPorts(agents: readonly string[], dashboardPort: number): Map<number, string> {
  const ports = new Map<number, string>()
  for (const agent of agents) {
    const port = agentPort(agent)
    if (port !== dashboardPort && !ports.has(port)) ports.set(port, agent)
  }
  return ports
}

import { z } from 'zod'

/** The names that a message or a row may carry besides an agent's. */
export const MANAGER = 'manager'
export const MANAGER_CONTAINER = 'hm1nd'
export const OPERATOR = 'operator'
export const SYSTEM = 'system'

const RESERVED = new Set([OPERATOR, MANAGER, SYSTEM, MANAGER_CONTAINER])
const AGENT_NAME = /^[a-z][a-z0-9-]{0,8}$/

/** Name of a sub-agent: at most 9 characters, since `h-<name>` must fit the 11 of a nixos-container. */
export const SubAgentName = z
  .string()
  .regex(AGENT_NAME, 'must be 1 to 9 characters of a-z, 0-9 and -, beginning with a letter')
  .refine((name) => !RESERVED.has(name), 'is a reserved name')

/** Name of any agent, the manager included; its container name is accepted as an alias. */
export const AgentName = z.union([z.enum([MANAGER, MANAGER_CONTAINER]).transform((): string => MANAGER), SubAgentName])

/** Whom a message can be sent to: an agent, the manager, the operator, or `*` for every agent. */
export const Recipient = z.union([z.enum([OPERATOR, '*']), AgentName])

export const Role = z.enum(['manager', 'agent'])
export type Role = z.infer<typeof Role>

export const roleOf = (agent: string): Role => (agent === MANAGER ? 'manager' : 'agent')

/** What a sender is to the one who reads: decided by the daemon, shown in every wake prompt. */
export const Standing = z.enum(['operator', 'manager', 'peer', 'system'])
export type Standing = z.infer<typeof Standing>

export const standingOf = (sender: string): Standing =>
  sender === OPERATOR || sender === SYSTEM || sender === MANAGER ? sender : 'peer'

export const containerName = (agent: string): string => (agent === MANAGER ? MANAGER_CONTAINER : `h-${agent}`)

export const DASHBOARD_PORT = 7000
/** On the loopback of a sandbox: there its harness forwards to the egress gateway. */
export const PROXY_PORT = 3128
export const PROXY_URL = `http://127.0.0.1:${PROXY_PORT}`
const MANAGER_PORT = 8000
const AGENT_PORTS = { first: 8100, count: 900 }

/** The port of an agent's page: a pure function of its name (FNV-1a, 32 bit), as in the original. Two names may share one. */
export function agentPort(agent: string): number {
  if (agent === MANAGER) return MANAGER_PORT
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(agent)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return AGENT_PORTS.first + (hash % AGENT_PORTS.count)
}

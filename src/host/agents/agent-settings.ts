import type { AgentConfig, EnvValue, HarnessConfig } from '../../wire/agent-config.ts'
import { HiveError } from '../../wire/errors.ts'
import type { Limits } from '../containers/runtime.ts'

/** Gives the value of a secret of the hive; undefined: there is none of that name. */
export type Secrets = (name: string) => string | undefined

/** What a harness is told of its agent's configuration. Throws `bad_input` naming a secret that is missing. */
export function harnessConfigOf({ mcpServers, bash, askOperator }: AgentConfig, secrets: Secrets): HarnessConfig {
  const filled = Object.entries(mcpServers).map(([name, server]) => [
    name,
    { ...server, env: fillIn(server.env, secrets) },
  ])
  return { mcpServers: Object.fromEntries(filled), ...(bash && { bash }), ...(askOperator && { askOperator }) }
}

/** What the configuration adds to the environment of an agent's engine. Throws `bad_input` naming a secret that is missing. */
export const agentEnvOf = ({ env }: AgentConfig, secrets: Secrets): Record<string, string> => fillIn(env, secrets)

/** Names of the secrets that a configuration needs and that do not exist, each once. */
export function missingSecrets({ env, mcpServers }: AgentConfig, has: (name: string) => boolean): string[] {
  const values = [env, ...Object.values(mcpServers).map((server) => server.env)].flatMap((some) => Object.values(some))
  const needed = values.flatMap((value) => (typeof value === 'string' ? [] : [value.secret]))
  return [...new Set(needed)].filter((name) => !has(name))
}

/** The limits of an agent's container: its own where it has some, else those of the hive. */
export function limitsOf({ limits: { memoryMiB, cpus, pids } }: AgentConfig, ofHive: Limits): Limits {
  return {
    memoryBytes: memoryMiB === undefined ? ofHive.memoryBytes : memoryMiB * 1024 * 1024,
    cpus: cpus ?? ofHive.cpus,
    pids: pids ?? ofHive.pids,
  }
}

function fillIn(env: Readonly<Record<string, EnvValue>>, secrets: Secrets): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : read(value.secret, secrets, name),
    ]),
  )
}

function read(secret: string, secrets: Secrets, variable: string): string {
  const value = secrets(secret)
  if (value !== undefined) return value
  throw new HiveError('bad_input', `${variable} needs the secret ${secret}, which this hive does not have`, {
    hint: `hive secret set ${secret}`,
  })
}

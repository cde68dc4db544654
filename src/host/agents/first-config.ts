import { AGENT_CONFIG_FILE } from '../../wire/agent-config.ts'

/** The files of an agent's first commit: a configuration that leaves everything to the hive. */
export const FIRST_CONFIG: Readonly<Record<string, string>> = {
  [AGENT_CONFIG_FILE]: `${JSON.stringify({ $schema: '/meta/agent.schema.json' }, null, 2)}\n`,
}

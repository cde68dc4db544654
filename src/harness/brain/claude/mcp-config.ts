import { rmSync, writeFileSync } from 'node:fs'
import { type HarnessConfig, HIVE_TOOL_SERVER } from '../../../wire/agent-config.ts'

/** The engine waits a few seconds for such a server before it goes ahead; without it, it may do so before our tools are there. */
const EARLY = { alwaysLoad: true }

/**
 * What stands in a configuration, or in a secret, is meant as it is; but the engine replaces `${NAME}` by its environment, and
 * `${NAME:-text}` by the text when there is no such variable. So a dollar is written as the text of one that never is.
 */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's own notation
const asItIs = (text: string): string => text.replaceAll('${', '${HIVE_UNSET:-$}{')

/** The engine's list of tool servers: ours, which it asks over its control channel, and those of the agent, which it starts itself. */
export function mcpConfig(servers: HarnessConfig['mcpServers']): object {
  const started = Object.entries(servers).map(([name, { command, args, env }]) => {
    const given = Object.entries(env).map(([key, value]) => [key, asItIs(value)])
    const server = { type: 'stdio', command: asItIs(command), args: args.map(asItIs), env: Object.fromEntries(given) }
    return [name, { ...server, ...EARLY }]
  })
  return {
    mcpServers: {
      [HIVE_TOOL_SERVER]: { type: 'sdk', name: HIVE_TOOL_SERVER, ...EARLY },
      ...Object.fromEntries(started),
    },
  }
}

/** Writes the list into a file that only we can read, since it may hold secrets: a command line is for everybody to see. */
export function writeMcpConfig(file: string, servers: HarnessConfig['mcpServers']): void {
  rmSync(file, { force: true })
  writeFileSync(file, JSON.stringify(mcpConfig(servers)), { mode: 0o600, flag: 'wx' })
}

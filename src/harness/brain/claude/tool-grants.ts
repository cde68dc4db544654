import { type HarnessConfig, HIVE_TOOL_SERVER } from '../../../wire/agent-config.ts'

/** What the engine may offer to its model, as flags of the engine say it. */
export interface ToolGrants {
  /** Tools of the engine itself that exist for the model. */
  readonly tools: readonly string[]
  /** What runs without asking. */
  readonly allowedTools: readonly string[]
  /** Whether the settings in the working directory count: they are the agent's to write, and may allow every command. */
  readonly projectSettings: boolean
}

/** Decides from a configuration what of `builtin`, the engine's own tools, an agent has. Every tool of a tool server may be called. */
export function grantTools(builtin: readonly string[], { bash, mcpServers }: HarnessConfig): ToolGrants {
  const tools = bash?.length === 0 ? builtin.filter((tool) => tool !== 'Bash') : builtin
  const allow = (tool: string): string[] =>
    tool === 'Bash' && bash ? bash.map((pattern) => `Bash(${pattern})`) : [tool]
  const servers = [HIVE_TOOL_SERVER, ...Object.keys(mcpServers)]
  return {
    tools,
    allowedTools: [...tools.flatMap(allow), ...servers.map((name) => `mcp__${name}`)],
    projectSettings: bash === undefined,
  }
}

export interface ClaudeFlags {
  readonly model: string
  readonly systemPromptFile: string
  /** Tools of the engine that exist for the model; those of ours come on top. */
  readonly tools: readonly string[]
  /** What runs without asking. */
  readonly allowedTools: readonly string[]
  readonly session: { readonly id: string; readonly resume: boolean }
}

/** Name of our tool server: the model sees `mcp__hyperhive__send`. */
export const TOOL_SERVER = 'hyperhive'

const SETTINGS = { autoMemoryEnabled: false, cleanupPeriodDays: 3650, includeCoAuthoredBy: false }

/** The flags of the long-lived engine: stream-json both ways, our tools over the control channel, nothing that bypasses permissions. */
export const claudeArgv = ({ model, systemPromptFile, tools, allowedTools, session }: ClaudeFlags): string[] => [
  '--print',
  '--input-format=stream-json',
  '--output-format=stream-json',
  '--verbose',
  '--include-partial-messages',
  `--model=${model}`,
  `--append-system-prompt-file=${systemPromptFile}`,
  '--strict-mcp-config',
  `--mcp-config=${JSON.stringify({ mcpServers: { [TOOL_SERVER]: { type: 'sdk', name: TOOL_SERVER, alwaysLoad: true } } })}`,
  `--tools=${tools.join(',')}`,
  `--allowedTools=${allowedTools.join(',')}`,
  '--permission-prompt-tool=stdio',
  `--settings=${JSON.stringify(SETTINGS)}`,
  '--setting-sources=project',
  session.resume ? `--resume=${session.id}` : `--session-id=${session.id}`,
]

/** The environment of the engine: what the agent has, and the switches that make it ours to drive. */
export function claudeEnv(
  env: Readonly<Record<string, string>>,
  { configDir, tmpDir }: { configDir: string; tmpDir: string },
): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => name !== 'CLAUDECODE' && !isForeignSwitch(name))
  return {
    CLAUDE_CODE_MAX_RETRIES: '2',
    ...Object.fromEntries(kept),
    CLAUDE_CONFIG_DIR: configDir,
    CLAUDE_CODE_TMPDIR: tmpDir,
    CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1',
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ENABLE_TOOL_SEARCH: 'false',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
  }
}

/** Switches of an engine that runs around this one; logins and limits of the agent's own stay. */
const isForeignSwitch = (name: string): boolean =>
  name.startsWith('CLAUDE_CODE_') &&
  !['CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CODE_MAX_RETRIES', 'CLAUDE_CODE_MAX_OUTPUT_TOKENS'].includes(name)

export interface ClaudeFlags {
  readonly model: string
  /** Added to the engine's own prompt. */
  readonly systemPromptFile: string
  /** Tools of the engine that exist for the model; those of ours come on top. */
  readonly tools: readonly string[]
  /** What runs without asking. */
  readonly allowedTools: readonly string[]
  readonly session: { readonly id: string; readonly resume: boolean }
}

/** Name of our tool server: the model sees `mcp__hyperhive__send`. */
export const TOOL_SERVER = 'hyperhive'

// Without alwaysLoad the engine may go ahead before our tools are there.
const MCP_CONFIG = { mcpServers: { [TOOL_SERVER]: { type: 'sdk', name: TOOL_SERVER, alwaysLoad: true } } }
const SETTINGS = { autoMemoryEnabled: false, cleanupPeriodDays: 3650, includeCoAuthoredBy: false }

/**
 * The flags of the long-lived engine: stream-json both ways, our tools over the control channel, nothing that bypasses permissions.
 * Model, prompt, tools and permissions are not part of a session: they are given at every start.
 */
export const claudeArgv = ({ model, systemPromptFile, tools, allowedTools, session }: ClaudeFlags): string[] => [
  '--print',
  '--input-format=stream-json',
  '--output-format=stream-json',
  '--verbose',
  '--include-partial-messages',
  `--model=${model}`,
  `--append-system-prompt-file=${systemPromptFile}`,
  '--strict-mcp-config',
  `--mcp-config=${JSON.stringify(MCP_CONFIG)}`,
  `--tools=${tools.join(',')}`,
  `--allowedTools=${allowedTools.join(',')}`,
  '--permission-prompt-tool=stdio',
  `--settings=${JSON.stringify(SETTINGS)}`,
  '--setting-sources=project',
  session.resume ? `--resume=${session.id}` : `--session-id=${session.id}`,
]

/** Switches of the engine that an agent may bring; all others are those of an engine that runs around this one. */
const KEPT = [
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_MAX_RETRIES',
  'CLAUDE_CODE_MAX_OUTPUT_TOKENS',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
]

/** The environment of the engine: what the agent has, and the switches that make it ours to drive. */
export function claudeEnv(
  env: Readonly<Record<string, string>>,
  { configDir, tmpDir }: { readonly configDir: string; readonly tmpDir: string },
): Record<string, string> {
  const isForeign = (name: string) => name === 'CLAUDECODE' || (name.startsWith('CLAUDE_CODE_') && !KEPT.includes(name))
  return {
    CLAUDE_CODE_MAX_RETRIES: '4',
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !isForeign(name))),
    CLAUDE_CONFIG_DIR: configDir,
    CLAUDE_CODE_TMPDIR: tmpDir,
    CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1',
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
    // A body with @/path would put that file before the model, without a tool and without a permission.
    CLAUDE_CODE_DISABLE_FILE_MENTIONS: '1',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    ENABLE_TOOL_SEARCH: 'false',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
  }
}

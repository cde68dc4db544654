import { ENGINE_SWITCHES } from '../../../wire/agent-config.ts'
import type { ToolGrants } from './tool-grants.ts'

export interface ClaudeFlags {
  readonly model: string
  /** Added to the engine's own prompt. */
  readonly systemPromptFile: string
  /** Names the tool servers. */
  readonly mcpConfigFile: string
  readonly grants: ToolGrants
  readonly session: { readonly id: string; readonly resume: boolean }
}

const SETTINGS = { autoMemoryEnabled: false, cleanupPeriodDays: 3650, includeCoAuthoredBy: false }

/**
 * The flags of the long-lived engine: stream-json both ways, our tools over the control channel, nothing that bypasses permissions.
 * Model, prompt, tools and permissions are not part of a session: they are given at every start.
 */
export const claudeArgv = ({ model, systemPromptFile, mcpConfigFile, grants, session }: ClaudeFlags): string[] => [
  '--print',
  '--input-format=stream-json',
  '--output-format=stream-json',
  '--verbose',
  '--include-partial-messages',
  `--model=${model}`,
  `--append-system-prompt-file=${systemPromptFile}`,
  '--strict-mcp-config',
  `--mcp-config=${mcpConfigFile}`,
  `--tools=${grants.tools.join(',')}`,
  `--allowedTools=${grants.allowedTools.join(',')}`,
  '--permission-prompt-tool=stdio',
  `--settings=${JSON.stringify(SETTINGS)}`,
  `--setting-sources=${grants.projectSettings ? 'project' : ''}`,
  session.resume ? `--resume=${session.id}` : `--session-id=${session.id}`,
]

/** Of the engine's variables those that the operator or the agent may bring; all others belong to an engine that runs around this one. */
const KEPT: readonly string[] = [
  ...ENGINE_SWITCHES,
  'CLAUDE_CODE_OAUTH_TOKEN',
  'CLAUDE_CODE_USE_BEDROCK',
  'CLAUDE_CODE_USE_VERTEX',
]

interface EnginePlaces {
  readonly configDir: string
  readonly tmpDir: string
  /** Milliseconds that a tool server may take to start. */
  readonly serverStartMs: number
}

/** The environment of the engine: what the agent has, and the switches that make it ours to drive. */
export function claudeEnv(
  env: Readonly<Record<string, string>>,
  { configDir, tmpDir, serverStartMs }: EnginePlaces,
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
    MCP_TIMEOUT: String(serverStartMs),
    ENABLE_TOOL_SEARCH: 'false',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
  }
}

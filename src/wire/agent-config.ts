import { z } from 'zod'
import { Budget } from './money.ts'
import { MANAGER, OPERATOR, SubAgentName } from './names.ts'

/** Name of the file that holds an agent's configuration, at the top of its repository. */
export const AGENT_CONFIG_FILE = 'agent.json'
/** Where an agent finds the files of its deployed configuration, read-only. */
export const CONFIG_MOUNT = '/config'
/** Name of the hive's own tool server; no other may have it. */
export const HIVE_TOOL_SERVER = 'hyperhive'

/** Says of a key that is refused why it is. */
const KEYS = {
  error: (issue: z.core.$ZodRawIssue) =>
    issue.code === 'invalid_key' ? (issue.issues as z.core.$ZodIssue[])[0]?.message : undefined,
}

const EnvName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'is no name of an environment variable')
export const SecretName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit')

/** A value, or a secret that the daemon keeps: no secret stands in a commit. */
const EnvValue = z.union(
  [z.string().max(8192), z.strictObject({ secret: SecretName })],
  'must be a text, or {"secret": "name"}',
)
export type EnvValue = z.infer<typeof EnvValue>

/** Variables that hold a login; an agent may have one of its own. */
export const LOGINS: readonly string[] = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN']

const Env = z.record(EnvName, EnvValue, KEYS).superRefine((env, { addIssue }) => {
  for (const name of LOGINS) {
    if (typeof env[name] !== 'string') continue
    addIssue({ code: 'custom', path: [name], message: 'is a login: name a secret of the hive, {"secret": "…"}' })
  }
})

/** Switches of the engine that are an agent's to choose. */
export const ENGINE_SWITCHES: readonly string[] = ['CLAUDE_CODE_MAX_RETRIES', 'CLAUDE_CODE_MAX_OUTPUT_TOKENS']
/** What the hive sets itself, and what would lead the engine, with the hive's own login, to somewhere else. */
const HIVES_OWN =
  /^(HIVE_.*|PATH|HOME|CLAUDE.*|ANTHROPIC_.*|(HTTPS?|ALL|NO)_PROXY|NODE_USE_ENV_PROXY|MCP_TIMEOUT|ENABLE_TOOL_SEARCH|DISABLE_(AUTOUPDATER|TELEMETRY|ERROR_REPORTING))$/i

/** The environment of the engine, and of everything that it starts. */
const EngineEnv = Env.superRefine((env, { addIssue }) => {
  for (const name of Object.keys(env)) {
    if (!HIVES_OWN.test(name) || ENGINE_SWITCHES.includes(name) || LOGINS.includes(name)) continue
    addIssue({
      code: 'custom',
      path: [name],
      message: 'is not an agent’s to set: the hive does, or the operator for all agents',
    })
  }
})

const ServerName = z
  .string()
  // The engine parts the name of a tool, mcp__server__tool, at the first two underscores.
  .regex(/^(?!.*__)[a-zA-Z0-9_-]{1,64}$/, 'must be 1 to 64 of letters, digits, - and single _')
  .refine((name) => name !== HIVE_TOOL_SERVER, 'is the name of the hive’s own tools')

/** A tool server that runs inside the sandbox, over stdio. */
const McpServer = z.strictObject({
  command: z
    .string()
    .min(1)
    .max(1024)
    .describe('program, looked up in PATH or absolute; /config holds the files of this commit'),
  args: z.array(z.string().max(4096)).max(64).default([]),
  env: Env.default({}),
})
export type McpServer = z.infer<typeof McpServer>

/** `host` or `*.suffix`, either with `:port`, as the gateway reads it. */
const EgressRule = z
  .string()
  .max(253)
  .regex(
    /^(\*\.)?[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[1-9]\d{0,4})?$/,
    'must be a host or *.suffix, either with :port',
  )
  .refine((rule) => URL.canParse(`http://${rule.replace('*.', '')}/`), 'is no host, or no port')

/**
 * The configuration of one agent, `agent.json` at the top of its repository. What is absent takes the default of the hive.
 * Only the deployed tree takes effect.
 */
export const AgentConfig = z.strictObject({
  $schema: z.string().optional(),
  model: z.string().min(1).max(100).optional().describe('model of its turns, unless the operator chose another'),
  allowedRecipients: z
    .array(z.union([z.enum([OPERATOR, MANAGER, '*']), SubAgentName]))
    .max(256)
    .optional()
    .describe('to whom it may send; the manager can always be reached; "*" is everyone; absent: everyone'),
  mcpServers: z
    .record(ServerName, McpServer, KEYS)
    .default({})
    .describe('tool servers beside the hive’s own, run inside its sandbox'),
  bash: z
    .array(
      z
        .string()
        .min(1)
        .max(256)
        .regex(/^[^()\n]+$/, 'may not hold parentheses or line ends'),
    )
    .max(256)
    .optional()
    .describe('patterns of the commands that its Bash may run, such as "git *"; absent: every command'),
  env: EngineEnv.default({}).describe('environment of its engine; a secret of the hive is named, never written here'),
  limits: z
    .strictObject({
      memoryMiB: z.number().int().min(64).optional(),
      cpus: z.number().min(0.05).optional(),
      pids: z.number().int().min(16).optional(),
    })
    .default({})
    .describe('of its container; absent: those of the hive'),
  egress: z
    .array(EgressRule)
    .max(256)
    .optional()
    .describe('hosts that it may reach, beside its model; absent: every public address'),
  askOperator: z
    .boolean()
    .default(false)
    .describe('it may ask the operator itself, with ask_operator; the manager always may'),
  budgets: Budget.default({}).describe('most that it may spend in a day, which begins at midnight of the host'),
  schedules: z
    .array(
      z.strictObject({
        cron: z.string().regex(/^(\S+\s+){4}\S+$/, 'must have five fields: minute hour day month weekday'),
        message: z.string().min(1).max(4096),
      }),
    )
    .max(64)
    .default([])
    .describe('messages that it gets at these times, of the host’s time zone'),
})
export type AgentConfig = z.infer<typeof AgentConfig>

/** The JSON Schema of `agent.json`, for editors and for agents that write one. What only code can check is not in it. */
export const agentConfigSchema = (): object => z.toJSONSchema(AgentConfig, { io: 'input' })

/** The configuration of an agent that says nothing. */
export const DEFAULT_AGENT_CONFIG: AgentConfig = AgentConfig.parse({})

/** The part of its configuration that a harness acts on, secrets filled in. */
export const HarnessConfig = z.object({
  mcpServers: z.record(
    z.string(),
    z.object({ command: z.string(), args: z.array(z.string()), env: z.record(z.string(), z.string()) }),
  ),
  /** Absent: every command. */
  bash: z.array(z.string()).optional(),
  /** It may ask the operator itself; the manager always may. */
  askOperator: z.boolean().optional(),
})
export type HarnessConfig = z.infer<typeof HarnessConfig>

import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { errorText, HiveError } from '../wire/errors.ts'
import { Budget } from '../wire/money.ts'
import { DASHBOARD_PORT } from '../wire/names.ts'
import { NeedKind, QuietHours, Sink } from '../wire/sinks.ts'

/** Timers of more than 2^31 ms would end at once. */
const LONGEST_SECONDS = 2_000_000

/** What the operator can put into the config file. Documented in docs/configuration.md. */
export const SettingsFile = z.strictObject({
  $schema: z.string().optional(),
  port: z.number().int().min(1).max(65535).default(DASHBOARD_PORT).describe('port of the dashboard'),
  agentPorts: z
    .boolean()
    .default(true)
    .describe('each agent has a port of its own (8000, 8100 to 8999) that leads to its page'),
  listen: z
    .array(z.string())
    .default([])
    .describe('addresses that the dashboard listens on besides those of this machine'),
  allowedHosts: z
    .array(z.string())
    .default([])
    .describe('names, as `name` or `name:port`, by which browsers may call the dashboard'),
  trustedProxy: z.boolean().default(false).describe('a proxy before the dashboard does TLS'),
  tls: z
    .strictObject({ cert: z.string().min(1), key: z.string().min(1) })
    .optional()
    .describe('PEM files, `{cert, key}`: the dashboard is served by https'),
  runtime: z.enum(['auto', 'bubblewrap', 'fake']).default('auto').describe('what runs the containers'),
  network: z
    .enum(['none', 'host'])
    .default('none')
    .describe('`host` gives every agent the network of this machine: dangerous'),
  model: z.string().min(1).default('haiku').describe('model of agents for which none was chosen'),
  agentEnv: z.record(z.string(), z.string()).default({}).describe('environment of every agent, told to it at hello'),
  endpoints: z.array(z.string()).default([]).describe('host:port that agents may reach although it is not public'),
  keepWarmSeconds: z
    .number()
    .min(0)
    .max(LONGEST_SECONDS)
    .default(600)
    .describe('how long an idle engine stays up; 0: one process per turn'),
  hangSeconds: z
    .number()
    .min(1)
    .max(LONGEST_SECONDS)
    .default(900)
    .describe('a turn without any sign for so long counts as hung'),
  spareMiB: z
    .number()
    .min(0)
    .default(512)
    .describe('idle engines end, the longest idle first, while less memory than this is available'),
  silentSeconds: z
    .number()
    .min(1)
    .max(LONGEST_SECONDS)
    .default(30)
    .describe('a harness without a heartbeat for so long is killed and started again'),
  healthSeconds: z
    .number()
    .min(1)
    .max(LONGEST_SECONDS)
    .default(60)
    .describe('an agent that was deployed has to be well within this time, or it is rolled back'),
  buildSeconds: z.number().min(1).max(LONGEST_SECONDS).default(600).describe('a build that takes longer is ended'),
  slots: z.number().int().min(1).optional().describe('turns at once; default (RAM - 2 GiB) / 512 MiB'),
  inboxCap: z.number().int().min(1).default(1000).describe('unread messages an inbox holds'),
  maxHops: z.number().int().min(1).default(16).describe('hops of a chain before the operator is asked'),
  chainPerMinute: z
    .number()
    .int()
    .min(1)
    .default(300)
    .describe('messages of one chain a minute before the operator is asked'),
  sendPerSecond: z.number().min(1).default(20).describe('messages a second that one agent may send'),
  sendBurst: z.number().int().min(1).default(100).describe('messages that one agent may send at once'),
  requestsPerSecond: z
    .number()
    .min(10)
    .default(500)
    .describe('requests a second, of any kind, that the socket of one agent answers'),
  memoryMiB: z.number().int().min(64).optional().describe('memory of each container'),
  cpus: z.number().min(0.05).optional().describe('processors of each container'),
  pids: z.number().int().min(16).default(2048).describe('processes of each container'),
  checkpointAt: z
    .number()
    .min(0)
    .max(0.95)
    .default(0.75)
    .describe('share of its context window after which a conversation is written down and shortened; 0: never'),
  budget: Budget.default({}).describe('most that all agents together may spend in a day: turns, tokens, dollars'),
  permissionSeconds: z
    .number()
    .min(1)
    .max(LONGEST_SECONDS)
    .default(3600)
    .describe('how long a turn waits for the operator to permit the use of a tool'),
  sinks: z.array(Sink).max(20).default([]).describe('where you are told of what waits for you: docs/needs.md'),
  quietHours: QuietHours.optional().describe(
    'what comes in them is told at their end: `{"from": "22:00", "to": "07:00"}`',
  ),
  urgent: z.array(NeedKind).default(['low_disk']).describe('kinds of needs that are told in quiet hours too'),
  sinkCharacters: z
    .number()
    .int()
    .min(0)
    .max(4000)
    .default(200)
    .describe('characters that a sink is told of each thing besides its title; 0: titles only'),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('address under which you reach the dashboard: what sinks are told links there'),
  lowDiskMiB: z
    .number()
    .min(0)
    .default(1024)
    .describe('below so much free space of the state directory the agent that grows most is paused'),
  autoUpdate: z.boolean().default(true).describe('at the start, agents on older programs are put on the current ones'),
  terminal: z.boolean().default(false).describe('you may open a shell in the sandbox of an agent: docs/containers.md'),
  speedup: z
    .number()
    .min(1)
    .max(1000)
    .default(1)
    .describe('for trials: the waiting times of the daemon itself are divided by it'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('least level of the log'),
})

export const Settings = SettingsFile.extend({
  stateDir: z.string(),
  runDir: z.string(),
  /** Undefined: decided at the first start and remembered. */
  demo: z.boolean().optional(),
  /** The operator wrote one. */
  hasConfigFile: z.boolean().default(false),
})
export type Settings = z.infer<typeof Settings>

/** What the command line can say; it wins over the environment, which wins over the file. */
export type SettingsFlags = Partial<
  Pick<
    Settings,
    'stateDir' | 'runDir' | 'port' | 'listen' | 'allowedHosts' | 'runtime' | 'demo' | 'agentEnv' | 'logLevel'
  >
> & { config?: string }

/** Where a hive lives, for the one who starts it and the one who calls it. `uid` 0 is root. Throws `bad_input` for an empty flag. */
export function hivePaths(
  flags: Pick<SettingsFlags, 'stateDir' | 'runDir'>,
  env: NodeJS.ProcessEnv,
  uid: number,
): { stateDir: string; runDir: string } {
  const chosen = checkFlag('--state-dir', flags.stateDir) ?? setOrNot(env.HIVE_STATE_DIR)
  const stateDir = resolve(chosen ?? (uid === 0 ? '/var/lib/hyperhive' : xdg(env, 'STATE', '.local/state')))
  // Another state directory is another hive: it does not share the sockets of the usual one.
  const runtime = absoluteOrNot(env.XDG_RUNTIME_DIR)
  const system = uid === 0 ? '/run/hyperhive' : runtime && join(runtime, 'hyperhive')
  const usual = chosen || !system ? join(stateDir, 'run') : system
  return { stateDir, runDir: resolve(checkFlag('--run-dir', flags.runDir) ?? setOrNot(env.HIVE_RUN_DIR) ?? usual) }
}

/** An empty variable is one that is not set. */
const setOrNot = (value: string | undefined): string | undefined => value || undefined

/** As the XDG specification wants it: relative paths count as not set. */
const absoluteOrNot = (value: string | undefined): string | undefined =>
  value !== undefined && isAbsolute(value) ? value : undefined

const xdg = (env: NodeJS.ProcessEnv, kind: 'STATE' | 'CONFIG', usual: string): string =>
  join(absoluteOrNot(env[`XDG_${kind}_HOME`]) ?? join(setOrNot(env.HOME) ?? '/', usual), 'hyperhive')

/** An empty flag is an unset variable of some script: not the current directory. */
function checkFlag(flag: string, value: string | undefined): string | undefined {
  if (value === '') throw new HiveError('bad_input', `${flag} is empty`, { hint: 'name a place, or leave it out' })
  return value
}

/**
 * Puts flags, environment (`HIVE_STATE_DIR`, `HIVE_RUN_DIR`, `HIVE_CONFIG`) and config file together; `defaults` stand
 * in for what the file leaves out. Throws `bad_input` naming the file and the field when the file is wrong, or cannot be read.
 */
export function loadSettings(
  flags: SettingsFlags,
  env: NodeJS.ProcessEnv,
  uid: number,
  defaults: z.input<typeof SettingsFile> = {},
): Settings {
  const named = checkFlag('--config', flags.config) ?? setOrNot(env.HIVE_CONFIG)
  const usual = uid === 0 ? '/etc/hyperhive/hive.json' : join(xdg(env, 'CONFIG', '.config'), 'hive.json')
  const path = named ?? usual
  const file = readSettingsFile(path, named !== undefined, defaults)
  const { config: _, agentEnv: givenEnv, ...rest } = flags
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  const agentEnv = { ...file.agentEnv, ...givenEnv }
  checkBaseUrl(agentEnv.ANTHROPIC_BASE_URL)
  return Settings.parse({
    ...file,
    ...given,
    ...hivePaths(flags, env, uid),
    agentEnv,
    hasConfigFile: existsSync(path),
  })
}

/** The gateway makes an endpoint of it: what is no URL, or one by accident (`localhost:8080`), would be refused much later. */
function checkBaseUrl(value: string | undefined): void {
  if (!value) return
  const url = URL.parse(value)
  if (url?.host && ['http:', 'https:'].includes(url.protocol)) return
  // The value itself is not quoted: a password may stand in it.
  const meant = value.includes('://') ? null : URL.parse(`http://${value}`)
  const isNear = meant !== null && /^(localhost|127\.|\[::1\])/.test(meant.hostname)
  const spelling = meant
    ? `${isNear ? 'http' : 'https'}://${meant.host}${meant.pathname.replace(/\/$/, '')}`
    : 'https://…'
  throw new HiveError('bad_input', 'ANTHROPIC_BASE_URL is no http or https URL', {
    hint: `ANTHROPIC_BASE_URL=${spelling}`,
  })
}

function readSettingsFile(
  path: string,
  required: boolean,
  defaults: z.input<typeof SettingsFile>,
): z.infer<typeof SettingsFile> {
  let text = '{}'
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (required || (cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new HiveError('bad_input', `cannot read the config file ${path}: ${errorText(cause)}`, { cause })
    }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new HiveError('bad_input', `the config file ${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
  const parsed = SettingsFile.safeParse(isRecord(value) ? { ...defaults, ...value } : value)
  if (!parsed.success)
    throw new HiveError('bad_input', `the config file ${path} is wrong: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The operator's socket of a hive. */
export const hostSocketPath = (runDir: string): string => join(runDir, 'host.sock')

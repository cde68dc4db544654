import { type Command, InvalidArgumentError, Option } from 'commander'
import { loadSettings, type Settings, type SettingsFlags } from '../kit/settings.ts'
import { HiveError } from '../wire/errors.ts'
import { type AgentEnvFlags, readAgentEnv } from './agent-env.ts'
import type { Cli, GlobalFlags } from './cli.ts'
import { say } from './show.ts'
import { longestSocket, MAX_SOCKET_BYTES } from './socket-path.ts'

export type DaemonFlags = GlobalFlags &
  Omit<SettingsFlags, 'agentEnv' | 'allowedHosts'> &
  AgentEnvFlags & { open?: boolean; allowedHost?: string[] }

/** Parses a whole number of an option. */
export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`
      throw new InvalidArgumentError(`It is no whole number ${range}.`)
    }
    return value
  }

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value]

/** The options of the commands that start a daemon. */
export const addDaemonOptions = (command: Command): Command =>
  command
    .option('--config <file>', 'config file, instead of the usual place (HIVE_CONFIG)')
    .option('--port <port>', 'port of the dashboard', wholeNumber(1, 65_535))
    .option('--listen <address>', 'an address besides 127.0.0.1 and ::1 for the dashboard (repeatable)', collect)
    .option('--allowed-host <name>', 'a name by which browsers may call the dashboard (repeatable)', collect)
    .addOption(new Option('--runtime <runtime>', 'what runs the containers').choices(['auto', 'bubblewrap', 'fake']))
    .option('--demo', 'let a scripted model answer: nothing is sent to Anthropic')
    .option('--no-demo', 'let the real model answer')
    .option('--no-open', 'do not open the dashboard in a browser')
    .option('--agent-env <K|K=V>', 'give the agents a variable of your environment (repeatable)', collect)
    .option('--agent-env-file <file>', 'give the agents the KEY=VALUE lines of a private file')
    .addOption(
      new Option('--log-level <level>', 'least level of the log on stderr').choices(['debug', 'info', 'warn', 'error']),
    )

/** The settings that these flags, the environment and the config file make. Throws `bad_input` where no hive can be made of them. */
export function settingsOf(cli: Cli, flags: DaemonFlags, defaults: { logLevel?: Settings['logLevel'] } = {}): Settings {
  const agentEnv = readAgentEnv(flags, cli.env, (text) => say(cli, `hive: warning: ${text}`))
  const { stateDir, runDir, port, listen, allowedHost: allowedHosts, runtime, demo, config, logLevel } = flags
  const given = { stateDir, runDir, port, listen, allowedHosts, runtime, demo, config, logLevel, agentEnv }
  const settings = loadSettings(given, cli.env, cli.uid, defaults)
  const socket = longestSocket(settings.runDir)
  if (socket.bytes > MAX_SOCKET_BYTES) {
    const message = `the run directory ${settings.runDir} is too long: sockets in it would have ${socket.bytes} bytes`
    throw new HiveError('bad_input', message, { hint: `choose a shorter --run-dir; ${MAX_SOCKET_BYTES} are allowed` })
  }
  return settings
}

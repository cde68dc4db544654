import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { HiveError } from '../wire/errors.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export interface AgentEnvFlags {
  /** `K` or `K=V`, as given. */
  readonly agentEnv?: readonly string[]
  readonly agentEnvFile?: string
}

/**
 * The environment of the agents that the command line asks for; single flags win over the file.
 * `warn` is called for what is unsafe but done. Throws `bad_input`; never quotes a value, it may be a secret.
 */
export function readAgentEnv(
  flags: AgentEnvFlags,
  env: NodeJS.ProcessEnv,
  warn: (text: string) => void,
): Record<string, string> {
  const fromFile = flags.agentEnvFile === undefined ? {} : readAgentEnvFile(flags.agentEnvFile)
  return { ...fromFile, ...Object.fromEntries((flags.agentEnv ?? []).map((flag) => parseFlag(flag, env, warn))) }
}

function parseFlag(flag: string, env: NodeJS.ProcessEnv, warn: (text: string) => void): [string, string] {
  const at = flag.indexOf('=')
  const name = at === -1 ? flag : flag.slice(0, at)
  if (!NAME.test(name))
    throw new HiveError('bad_input', `--agent-env: ${JSON.stringify(name)} is no name of a variable`)
  if (at !== -1) {
    warn(
      `the value of ${name} stands in the command line, where \`ps\` shows it to everyone here; --agent-env ${name} takes it from your environment`,
    )
    return [name, flag.slice(at + 1)]
  }
  const value = env[name]
  if (value === undefined) {
    throw new HiveError('bad_input', `--agent-env ${name}: there is no ${name} in the environment of hive`, {
      hint: `export ${name}=…, or put it into a file for --agent-env-file`,
    })
  }
  return [name, value]
}

function readAgentEnvFile(path: string): Record<string, string> {
  return Object.fromEntries(
    readPrivateFile(path)
      .split('\n')
      .map((line, index) => ({ line: line.replace(/\r$/, ''), number: index + 1 }))
      .filter(({ line }) => line.trim() !== '' && !line.startsWith('#'))
      .map(({ line, number }): [string, string] => {
        const at = line.indexOf('=')
        const name = line.slice(0, Math.max(at, 0))
        if (!NAME.test(name)) throw new HiveError('bad_input', `${path}: line ${number} is not KEY=VALUE`)
        return [name, line.slice(at + 1)]
      }),
  )
}

/** Reads a file of secrets. Throws `bad_input` when everyone may read it, with the command that changes that. */
function readPrivateFile(path: string): string {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (cause) {
    throw new HiveError('bad_input', `cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new HiveError('bad_input', `${path} is no file`)
    if ((stat.mode & 0o007) !== 0) {
      throw new HiveError('bad_input', `everyone on this machine may open ${path}, and it holds secrets`, {
        hint: `chmod 600 ${path}`,
      })
    }
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

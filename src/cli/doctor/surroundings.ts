import { once } from 'node:events'
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { errorText } from '../../wire/errors.ts'
import { withDaemon } from '../daemon-client.ts'
import { type Check, fail, ok, type Patient, warn } from './check.ts'

const CREDENTIALS = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN', 'ANTHROPIC_BASE_URL']

export async function checkDaemon({ cli, flags }: Patient): Promise<Check> {
  try {
    const { pid, version, model } = await withDaemon(cli, flags, (call) => call.status({}))
    return ok('daemon', `${version} serves, pid ${pid}${model === 'demo' ? ', a scripted model answers' : ''}`)
  } catch (error) {
    return warn('daemon', errorText(error), 'hive up')
  }
}

export async function checkPort({ settings: { port } }: Patient): Promise<Check> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return ok('port', `127.0.0.1:${port} is free`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EADDRINUSE'
      ? warn('port', `127.0.0.1:${port} is in use, by this hive perhaps`, `ss -ltnp 'sport = :${port}', or --port`)
      : fail('port', errorText(error), 'choose another with --port')
  } finally {
    server.close()
  }
}

/** Whether agents could reach a model. Only names are looked at, never a secret. */
export function checkCredentials({ cli, settings }: Patient): Check {
  const given = CREDENTIALS.filter((name) => settings.agentEnv[name] !== undefined)
  const logins = agentsWithLogin(settings.stateDir)
  if (given.length > 0) return ok('credentials', `${given.join(', ')} from the config file`)
  if (logins.length > 0) return ok('credentials', `logins of ${logins.join(', ')}`)
  const here = CREDENTIALS.find((name) => cli.env[name] !== undefined)
  return here
    ? warn('credentials', `${here} is in your environment, agents get it when told`, `hive up --agent-env ${here}`)
    : warn(
        'credentials',
        'none: the real model would not answer',
        'hive up --agent-env ANTHROPIC_API_KEY, or hive up --demo for a scripted model',
      )
}

function agentsWithLogin(stateDir: string): string[] {
  const directory = join(stateDir, 'credentials')
  if (!existsSync(directory)) return []
  return readdirSync(directory).filter((agent) => {
    const file = lstatSync(join(directory, agent, '.credentials.json'), { throwIfNoEntry: false })
    return file?.isFile() === true
  })
}

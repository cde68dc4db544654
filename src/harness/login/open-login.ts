import { LOGINS } from '../../wire/agent-config.ts'
import type { Command } from '../../wire/agent-ops.ts'
import { errorText } from '../../wire/errors.ts'
import type { LiveEvent } from '../../wire/events.ts'
import type { BrainCheck } from '../brain/brain.ts'
import { claudeEnv } from '../brain/claude/argv.ts'
import { LOGIN_FILES, readLogin } from '../brain/claude/login.ts'
import { Heartbeat } from '../heartbeat.ts'
import { LoginProgram, type LoginReport } from './login-program.ts'
import { watchLogin } from './login-watch.ts'

export interface LoginOptions {
  readonly claudePath: string
  readonly configDir: string
  readonly tmpDir: string
  /** Of the engine, as it is now. */
  readonly env: () => Readonly<Record<string, string>>
  /** Has the engine looked at its login, and tells the daemon what it says. */
  readonly check: () => Promise<BrainCheck>
  readonly tell: (report: LoginReport) => Promise<unknown>
  readonly emit: (event: LiveEvent) => void
}

export type LoginCommand = Extract<Command, { do: `login_${string}` }>

export interface AgentLogin {
  obey(command: LoginCommand): Promise<void>
  /** Ends what goes on. */
  close(): Promise<void>
}

/** Looks after the login of an agent: has it checked when it is another, and makes one when the operator wants to. */
export function openLogin({ claudePath, configDir, tmpDir, env, check, tell, emit }: LoginOptions): AgentLogin {
  const note = (level: 'info' | 'warn' | 'error', text: string): void => emit({ kind: 'note', level, text })
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<string | undefined> => {
    try {
      await work()
    } catch (error) {
      note('error', `${what} failed: ${errorText(error)}`)
      return errorText(error)
    }
  }
  let noted = ''
  const teller = new Heartbeat(async () => {
    await attempt('telling how the login goes', () => tell(program.report))
  })
  const program = new LoginProgram({
    path: claudePath,
    cwd: tmpDir,
    // With a key in its environment the program would ask for no other login.
    env: () => withoutLogins(claudeEnv(env(), { configDir, tmpDir, serverStartMs: 0 })),
    findObstacle: () => {
      const found = LOGINS.find((name) => env()[name])
      return found && `${found} is in its environment, and goes before any login`
    },
    async onLoggedIn() {
      let found: BrainCheck | undefined
      const failure = await attempt('checking the login', async () => {
        found = await check()
      })
      return failure ?? (found?.claude === 'ok' ? undefined : found?.detail)
    },
    onChange() {
      const text = describe(program.report)
      if (text !== noted) note(program.report.state === 'failed' ? 'error' : 'info', text)
      noted = text
      teller.beat()
    },
  })
  const watching = watchLogin({
    directory: configDir,
    files: LOGIN_FILES,
    readId: () => readLogin(configDir, env()).id,
    onChange: () => void attempt('checking the login', check),
    onBlind: (why) => note('warn', `a change of the login is noticed late: ${why}`),
  })
  return {
    async obey(command) {
      if (command.do === 'login_start') await program.start(command.method)
      else if (command.do === 'login_code') program.code(command.code)
      else await program.cancel()
    },
    async close() {
      watching[Symbol.dispose]()
      await program.cancel()
    },
  }
}

const withoutLogins = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !LOGINS.includes(name)))

function describe({ state, problem }: LoginReport): string {
  const more = problem === null ? '' : `: ${problem}`
  return {
    starting: 'a login begins',
    waiting: `the login waits for its code${more}`,
    checking: 'the code of the login is checked',
    done: 'logged in',
    failed: `the login failed${more}`,
    cancelled: 'the login was given up',
  }[state]
}

import { text as readText } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import { HiveError } from '../../wire/errors.ts'
import { hostOps } from '../../wire/host-ops.ts'
import type { LoginFlow } from '../../wire/logins.ts'
import { ask } from '../ask.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { type HostClient, withDaemon } from '../daemon-client.ts'
import { EXIT } from '../exit-code.ts'
import { sayWhileWaiting } from '../patience.ts'
import { printable, printableLine } from '../printable.ts'
import { say, show } from '../show.ts'

type Flags = GlobalFlags & { console?: boolean; code?: '-'; cancel?: boolean }

/** How long an interrupted command waits for the login to be given up. */
const LEAVE_MS = 5_000

export const addLogin = (program: Command, cli: Cli): Command =>
  program
    .command('login')
    .description('Log an agent in: shows the page to open, and asks for the code that it gives.')
    .argument('<agent>', 'name of the agent, or manager')
    .option('--console', 'with an account of the console, which is paid by use, instead of a subscription')
    .addOption(
      new Option('--code <from>', 'read the code from stdin, for a login that was begun: never from here')
        .choices(['-'])
        .conflicts('cancel'),
    )
    .option('--cancel', hostOps.login_cancel.about)
    .action(async (agent: string, _, command: Command) => {
      const flags = flagsOf<Flags>(command)
      const flow = await withDaemon(cli, flags, (call) => {
        if (flags.cancel) return call.login_cancel({ agent }).then(({ flow }) => flow)
        return flags.code ? bringCode(cli, flags, call, agent) : begin(cli, flags, call, agent)
      })
      show(cli, flags, { data: flow, text: () => outcomeText(agent, flow) })
    })

/** Gives the login that ended, or, where nobody can be asked, the one that waits for its code. */
async function begin(cli: Cli, flags: Flags, call: HostClient, agent: string): Promise<LoginFlow | null> {
  const stopListening = cancelAtInterrupt(cli, call, agent)
  try {
    const method = flags.console ? 'console' : 'claudeai'
    const flow = await sayWhileWaiting(
      cli,
      flags,
      `the login of ${agent} to show its page`,
      call.login({ agent, method }).then(({ flow }) => flow),
    )
    assertGood(agent, flow)
    const { stdin, err } = cli.io
    return stdin.isTTY && err.isTTY && !flags.json && flow?.url ? await askForCode(cli, flags, call, agent, flow) : flow
  } finally {
    stopListening()
  }
}

async function askForCode(
  cli: Cli,
  flags: Flags,
  call: HostClient,
  agent: string,
  flow: LoginFlow,
): Promise<LoginFlow | null> {
  say(cli, `Open this page, and log in there for ${agent}:\n\n${printableLine(flow.url ?? '')}\n`)
  for (;;) {
    const code = await ask(cli, 'Its code (not shown): ', { hidden: true })
    if (code === undefined) {
      await call.login_cancel({ agent })
      throw new HiveError('cancelled', `${agent} was not logged in`)
    }
    if (code.trim() === '') continue
    try {
      const now = await checkCode(cli, flags, call, agent, code)
      if (now?.state !== 'waiting') return now
      say(cli, `hive: ${printable(now.problem ?? 'the code was refused')}`)
    } catch (error) {
      // Not even handed over: it was mistyped.
      if (!(error instanceof HiveError) || error.code !== 'bad_input') throw error
      say(cli, 'hive: that is no code: copy all of it, and nothing else')
    }
  }
}

async function bringCode(cli: Cli, flags: Flags, call: HostClient, agent: string): Promise<LoginFlow | null> {
  const flow = await checkCode(cli, flags, call, agent, await readText(cli.io.stdin))
  if (flow?.state === 'waiting') {
    throw new HiveError('bad_input', printable(flow.problem ?? 'the code was refused'), {
      hint: `hive login ${agent} --code - takes another; hive login ${agent} shows the page again`,
    })
  }
  return flow
}

/** Throws when the login failed. */
async function checkCode(cli: Cli, flags: Flags, call: HostClient, agent: string, code: string) {
  const checked = call.login_code({ agent, code }).then(({ flow }) => flow)
  const flow = await sayWhileWaiting(cli, flags, 'the code to be checked', checked)
  assertGood(agent, flow)
  return flow
}

function assertGood(agent: string, flow: LoginFlow | null): void {
  if (flow?.state !== 'failed') return
  throw new HiveError('unavailable', `${agent} was not logged in: ${printable(flow.problem ?? 'no reason is known')}`, {
    hint: `hive login ${agent} begins anew; what can be wrong stands in docs/login.md`,
  })
}

/** What goes on in the sandbox would wait for its code for minutes otherwise. */
function cancelAtInterrupt(cli: Cli, call: HostClient, agent: string): () => void {
  const leave = (): void => cli.io.exit(EXIT.interrupted)
  return cli.io.onSignal(['SIGINT'], () => {
    setTimeout(leave, LEAVE_MS).unref()
    call.login_cancel({ agent }).then(leave, leave)
  })
}

function outcomeText(agent: string, flow: LoginFlow | null): string {
  if (!flow) return `no login of ${agent} goes on\n`
  switch (flow.state) {
    case 'done':
      return `${agent} is logged in\n`
    case 'cancelled':
      return `the login of ${agent} was given up\n`
    case 'failed':
      return `the login of ${agent} has failed: ${printable(flow.problem ?? 'no reason is known')}\n`
    case 'waiting':
      return `${printableLine(flow.url ?? '')}\nopen this page, then bring its code: hive login ${agent} --code - < file\n`
    default:
      return `the login of ${agent} is ${flow.state}\n`
  }
}

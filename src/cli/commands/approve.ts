import { Argument, type Command, InvalidArgumentError } from 'commander'
import type { Approval } from '../../wire/approvals.ts'
import { HiveError } from '../../wire/errors.ts'
import { changesText, type Shown, summaryText } from '../approval-text.ts'
import { assertTerminal, confirm } from '../ask.ts'
import { type Cli, flagsOf, type GlobalFlags } from '../cli.ts'
import { type HostClient, withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { followDeploy } from '../deploy-log.ts'
import { EXIT } from '../exit-code.ts'
import { Reported } from '../failure.ts'
import { assertApprovable, assertMeant, type Meant } from '../may-approve.ts'
import { createPaint } from '../paint.ts'
import { shortSha } from '../short-sha.ts'
import { say, show } from '../show.ts'

type Flags = GlobalFlags & Meant & { wait: boolean }

/** The most lines of a diff that stand before the question. */
const SHORT_DIFF_LINES = 40

export const addApprove = (program: Command, cli: Cli): Command =>
  program
    .command('approve')
    .description('Approve exactly what is shown, and wait until it is deployed.')
    .addArgument(new Argument('<id>', 'number of the approval').argParser(wholeNumber(1)))
    .option('--sha <commit>', 'only if it is of this commit: all of its digits, or the first 7 or more', commitDigits)
    .option('-y, --yes', 'do not ask')
    .option('--no-wait', 'return once the decision is made')
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf<Flags>(command)
      let isDecided = false
      cli.io.onSignal(['SIGINT'], () => {
        if (isDecided) say(cli, `hive: the deploy goes on without you: hive show ${id} tells how it ends`)
        cli.io.exit(EXIT.interrupted)
      })
      if (!flags.yes) assertTerminal(cli, 'approve', `look at hive show ${id}, and pass --yes`)
      const approved = await withDaemon(cli, flags, (call) => decide(cli, flags, call, id))
      isDecided = true
      const approval = flags.wait ? await followDeploy(cli, flags, id) : approved
      if (approval.state === 'failed') await reportFailed(cli, flags, approval)
      show(cli, flags, { data: approval, text: () => outcomeText(approval) })
    })

function commitDigits(text: string): string {
  if (!/^[0-9a-f]{7,40}$/.test(text)) throw new InvalidArgumentError('It is no commit: 7 to 40 hex digits.')
  return text
}

/** Approves what is shown now, and nothing else. */
async function decide(cli: Cli, flags: Flags, call: HostClient, id: number): Promise<Approval> {
  const { approvals } = await call.pending({ limit: 1000 })
  const before = approvals.find((approval) => approval.id === id)
  if (before) assertMeant(before, flags)
  const shown = await call.show({ id })
  assertMeant(shown.approval, flags)
  assertApprovable(shown, before, flags)
  if (!flags.yes) {
    cli.io.err.write(questionText(cli, shown, before))
    await confirm(cli, 'Approve?', 'nothing was approved')
  }
  const { base, sha } = shown.diff ?? shown.approval
  return (await call.approve({ id, base, sha })).approval
}

function questionText({ io }: Cli, shown: Shown, before: Approval | undefined): string {
  const paint = createPaint(io.err)
  const changes = changesText(shown, paint)
  const lines = changes.split('\n').length
  const isShort = lines <= SHORT_DIFF_LINES
  return [
    summaryText(shown, { paint, now: io.now() }),
    isShort ? changes : `\nits diff has ${lines} lines: hive show ${shown.approval.id}\n`,
    before?.state === 'stale' ? '\nwhat runs has changed since this was shown last\n' : '',
    '\n',
  ].join('')
}

/** Always throws: says why the deploy failed, and what runs now. */
async function reportFailed(cli: Cli, flags: Flags, approval: Approval): Promise<never> {
  const { id, agent: name, note } = approval
  if (flags.json) {
    show(cli, flags, { data: approval, text: () => '' })
    throw new Reported('the deploy failed')
  }
  const { agents } = await withDaemon(cli, flags, (call) => call.list({}))
  const agent = agents.find((one) => one.name === name)
  const now = agent?.sha ? `rolled back: ${name} runs ${shortSha(agent.sha)}, ${agent.state}` : `${name} does not run`
  throw new HiveError('unavailable', `approval ${id} failed: ${note ?? 'no reason is known'}`, {
    hint: `${now}\nhive show ${id} has all of its log`,
  })
}

function outcomeText({ id, agent, kind, state, sha, tag }: Approval): string {
  if (state !== 'deployed') return `approval ${id} is ${state}: hive show ${id}\n`
  const what = {
    spawn: `${agent} is there`,
    init_config: `${agent} has a configuration that the manager can write`,
    apply_commit: `${agent} runs ${shortSha(sha ?? '')}`,
  }[kind]
  return `${what}${tag === null ? '' : `: ${tag}`}\n`
}

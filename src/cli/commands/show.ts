import { Argument, type Command } from 'commander'
import { hostOps } from '../../wire/host-ops.ts'
import { changesText, deployLineText, type Shown, summaryText } from '../approval-text.ts'
import { type Cli, flagsOf } from '../cli.ts'
import { withDaemon } from '../daemon-client.ts'
import { wholeNumber } from '../daemon-flags.ts'
import { readDeployLog } from '../deploy-log.ts'
import { showPaged } from '../pager.ts'
import { createPaint } from '../paint.ts'
import { shortSha } from '../short-sha.ts'
import { show } from '../show.ts'

export const addShow = (program: Command, cli: Cli): Command =>
  program
    .command('show')
    .description(hostOps.show.about)
    .addArgument(new Argument('<id>', 'number of the approval').argParser(wholeNumber(1)))
    .action(async (id: number, _, command: Command) => {
      const flags = flagsOf(command)
      const { shown, log } = await withDaemon(cli, flags, async (call) => {
        return { shown: await call.show({ id }), log: await readDeployLog(call, id) }
      })
      if (flags.json) return show(cli, flags, { data: { ...shown, log }, text: () => '' })
      const { out, now } = cli.io
      const paint = createPaint(out)
      const deployed = log.length === 0 ? '' : `\n${log.map((line) => deployLineText(line, paint)).join('')}`
      const summary = summaryText(shown, { paint, now: now() })
      showPaged(cli, [summary, deployed, changesText(shown, paint), nextText(shown)].join(''))
    })

function nextText({ approval: { id, state, sha }, problem, diff }: Shown): string {
  if (state !== 'pending') return ''
  const deny = `hive deny ${id} -m '<why>'`
  if (problem !== null || diff?.truncated) return `\n${deny}\n`
  return `\nhive approve ${id}${sha === null ? '' : ` --sha ${shortSha(sha)}`}\n${deny}\n`
}

import type { Approval, DeployLine } from '../wire/approvals.ts'
import { deployLineText } from './approval-text.ts'
import type { Cli, GlobalFlags } from './cli.ts'
import { connectDaemon, type HostClient } from './daemon-client.ts'
import { FOLLOW_WAIT_SECONDS, followPages } from './follow.ts'
import { sayGap } from './follow-talk.ts'
import { createPaint } from './paint.ts'
import { say } from './show.ts'

/**
 * Waits for the end of a deploy, also through a restart of the daemon; its log and its place in the queue go to stderr, but not with
 * `--json`. Gives the approval as it ended.
 */
export async function followDeploy(cli: Cli, flags: GlobalFlags, id: number): Promise<Approval> {
  const { err } = cli.io
  const paint = createPaint(err)
  let place: number | null = null
  await using pages = followPages({
    connect: () => connectDaemon(cli, flags),
    fetch: async (call, after) => {
      const wait_seconds = after === undefined ? 0 : FOLLOW_WAIT_SECONDS
      const page = await call.deploy_log({ id, after: after ?? 0, wait_seconds })
      return { ...page, cursor: page.lines.at(-1)?.n ?? after ?? 0 }
    },
    onGap: sayGap(cli),
  })
  for (;;) {
    const { approval, lines } = (await pages.next()).value
    const { position } = approval
    if (!flags.json) {
      if (position !== null && position !== place) say(cli, `hive: queued, number ${position}`)
      err.write(lines.map((line) => deployLineText(line, paint)).join(''))
    }
    place = position
    // Its last lines may come in several pages.
    if (approval.state !== 'approved' && lines.length === 0) return approval
  }
}

/** The log of a deploy as far as it is there. A long one comes in several pages. */
export async function readDeployLog(call: HostClient, id: number): Promise<DeployLine[]> {
  const log: DeployLine[] = []
  for (;;) {
    const { lines } = await call.deploy_log({ id, after: log.at(-1)?.n })
    if (lines.length === 0) return log
    log.push(...lines)
  }
}

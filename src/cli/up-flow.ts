import { setTimeout as sleep } from 'node:timers/promises'
import type { Approval } from '../wire/approvals.ts'
import type { Agent } from '../wire/things.ts'
import { noteText } from './agent-table.ts'
import { requestText } from './approval-table.ts'
import type { Cli, GlobalFlags } from './cli.ts'
import { type HostClient, isUnreachable } from './daemon-client.ts'
import { FOLLOW_WAIT_SECONDS } from './follow.ts'
import { createMessageFlow } from './message-flow.ts'
import { AGENT_STYLE, createPaint, type Paint } from './paint.ts'
import { showJsonLine } from './show.ts'
import { clockText } from './time-text.ts'
import { sayUndecodable } from './undecodable.ts'

const LOOK_EVERY_MS = 1000

/** Writes what happens to messages and agents from now on, and which approvals wait, until the daemon of `call` ends. */
export async function showFlow(cli: Cli, flags: GlobalFlags, call: HostClient): Promise<void> {
  const ended = new AbortController()
  const untilEnd = async (follow: Promise<never>) => {
    try {
      await follow
    } catch (error) {
      if (!isUnreachable(error) && !ended.signal.aborted) throw error
    } finally {
      ended.abort()
    }
  }
  await Promise.all([
    untilEnd(showMessages(cli, flags, call, ended.signal)),
    untilEnd(showAgents(cli, flags, call, ended.signal)),
    untilEnd(showApprovals(cli, flags, call, ended.signal)),
  ])
}

async function showMessages(cli: Cli, flags: GlobalFlags, call: HostClient, signal: AbortSignal): Promise<never> {
  const { out, now } = cli.io
  const line = createMessageFlow({ paint: createPaint(out), columns: out.columns, now })
  let { cursor } = await call.messages({ limit: 1 }, { signal })
  for (;;) {
    const page = await call.messages({ after: cursor, limit: 1000, wait_seconds: FOLLOW_WAIT_SECONDS }, { signal })
    cursor = page.cursor
    sayUndecodable(cli, page.errors)
    for (const message of page.messages) {
      if (flags.json) showJsonLine(cli, message)
      else out.write(line(message))
    }
  }
}

async function showAgents(cli: Cli, flags: GlobalFlags, call: HostClient, signal: AbortSignal): Promise<never> {
  const { out, now } = cli.io
  const paint = createPaint(out)
  let known = new Map<string, Agent>()
  for (;;) {
    const { agents } = await call.list({}, { signal })
    if (!flags.json) {
      for (const agent of agents) {
        const change = agentChange(known.get(agent.name), agent)
        if (change) out.write(agentLine(agent, change, paint, now()))
      }
    }
    known = new Map(agents.map((agent) => [agent.name, agent]))
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}

/** Says once of each approval that it waits; nobody is told of one otherwise. */
async function showApprovals(cli: Cli, flags: GlobalFlags, call: HostClient, signal: AbortSignal): Promise<never> {
  const { out, now } = cli.io
  const paint = createPaint(out)
  let newest = 0
  for (;;) {
    const { approvals } = await call.pending({ limit: 1000 }, { signal })
    for (const approval of approvals) {
      if (flags.json || approval.id <= newest || approval.state === 'approved') continue
      out.write(`${paint('gray', clockText(now()))}  ${paint('yellow', waitsText(approval))}\n`)
    }
    newest = Math.max(newest, ...approvals.map(({ id }) => id))
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}

const waitsText = (approval: Approval): string =>
  `approval ${approval.id}: ${requestText(approval)}: hive show ${approval.id}`

/** What to say when an agent went from one state to another; nothing about its everyday work. */
export function agentChange(before: Agent | undefined, { state }: Agent): string | undefined {
  if (before?.state === state) return undefined
  const isComing = before === undefined || ['offline', 'starting', 'stopped', 'failed'].includes(before.state)
  if (state === 'failed') return 'FAILED'
  if (state === 'needs_login') return 'needs a login'
  if (state === 'parked') return 'parked'
  if (state === 'stopped') return before && 'stopped'
  if (state === 'offline') return before && !isComing ? 'offline' : undefined
  return isComing && state !== 'starting' ? 'ready' : undefined
}

function agentLine(agent: Agent, change: string, paint: Paint, now: number): string {
  const note = noteText(agent, now)
  const who = `${' '.repeat(5)}  ${agent.name.padEnd(19)}`
  return `${[paint('gray', clockText(now)), who, paint(AGENT_STYLE[agent.state], change), note].join('  ').trimEnd()}\n`
}

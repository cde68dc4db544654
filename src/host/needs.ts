import type { Agent, Need } from '../wire/things.ts'
import type { Approvals } from './approvals/approvals.ts'
import type { Store } from './broker/store.ts'

/** Everything that waits for the operator, oldest first; nothing of it is stored, so what no longer waits is not there. */
export async function listNeeds(
  store: Store,
  agents: readonly Agent[],
  approvals: Pick<Approvals, 'list'>,
): Promise<Need[]> {
  const [dead, chains] = await Promise.all([store.deadLetters(), store.pausedChains()])
  const open = approvals.list({ all: false, limit: 1000 })
  const unreadable = [...dead.errors, ...open.errors, ...(await store.undecodable())]
  const needs: Need[] = [
    ...dead.messages.map(
      (message): Need => ({
        kind: 'dead_letter',
        key: `dead_letter:${message.id}`,
        link: `/messages/${message.id}`,
        since: message.doneAt ?? message.sentAt,
        message,
        actions: [`hive requeue ${message.id}`, `hive drop ${message.id}`],
      }),
    ),
    ...open.approvals
      .filter(({ state }) => state !== 'approved')
      .map(
        (approval): Need => ({
          kind: 'approval',
          key: `approval:${approval.id}`,
          link: `/approvals/${approval.id}`,
          since: approval.requestedAt,
          approval,
          actions: ['show', 'approve', 'deny'].map((verb) => `hive ${verb} ${approval.id}`),
        }),
      ),
    ...unreadable.map(
      (row): Need => ({
        kind: 'undecodable',
        key: `undecodable:${row.table}:${row.id}`,
        link: '/',
        since: 0,
        row,
        actions: [],
      }),
    ),
    ...chains.map(
      (chain): Need => ({
        kind: 'paused_chain',
        key: `paused_chain:${chain.rootId}`,
        link: `/messages/${chain.rootId}`,
        ...chain,
        actions: [`hive allow ${chain.rootId}`, `hive allow ${chain.rootId} --stop`],
      }),
    ),
    ...agents.flatMap(needOfAgent),
  ]
  return needs.sort((a, b) => a.since - b.since)
}

function needOfAgent({ name, state, stateSince, parked, detail }: Agent): Need[] {
  const common = (kind: string) => ({ key: `${kind}:${name}`, link: `/a/${name}` })
  if (state === 'needs_login') {
    const why = parked?.detail ?? 'no login; a hive started with --agent-env ANTHROPIC_API_KEY gives it one'
    return [
      {
        ...common('login'),
        kind: 'login',
        since: stateSince,
        agent: name,
        detail: why,
        actions: [`hive restart ${name}`],
      },
    ]
  }
  // A quota frees up by itself; the operator need not act.
  if (state === 'parked' && parked && parked.until === undefined) {
    return [
      {
        ...common('parked'),
        kind: 'parked',
        since: parked.since,
        agent: name,
        detail: parked.detail,
        actions: [`hive unpark ${name}`],
      },
    ]
  }
  if (state === 'failed') {
    const actions = [`hive logs ${name}`, `hive start ${name}`]
    return [
      {
        ...common('failed'),
        kind: 'failed',
        since: stateSince,
        agent: name,
        detail: detail ?? 'its container keeps ending',
        actions,
      },
    ]
  }
  return []
}

/** How many things wait for the operator, without reading them. */
export async function countNeeds(
  store: Store,
  agents: readonly Agent[],
  approvals: Pick<Approvals, 'countPending'>,
): Promise<number> {
  const [dead, chains, unreadable] = await Promise.all([
    store.countDeadLetters(),
    store.pausedChains(),
    store.undecodable(),
  ])
  return dead + approvals.countPending() + chains.length + unreadable.length + agents.flatMap(needOfAgent).length
}

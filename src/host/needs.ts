import type { Agent, Need } from '../wire/things.ts'
import type { Store } from './broker/store.ts'

/** Everything that waits for the operator, oldest first; nothing of it is stored, so what no longer waits is not there. */
export function listNeeds(store: Store, agents: readonly Agent[]): Need[] {
  const dead = store.deadLetters()
  const needs: Need[] = [
    ...dead.messages.map(
      (message): Need => ({
        kind: 'dead_letter',
        since: message.doneAt ?? message.sentAt,
        message,
        actions: [`hive requeue ${message.id}`, `hive drop ${message.id}`],
      }),
    ),
    ...[...dead.errors, ...store.undecodable()].map(
      (row): Need => ({ kind: 'undecodable', since: 0, row, actions: [] }),
    ),
    ...store.pausedChains().map(
      (chain): Need => ({
        kind: 'paused_chain',
        ...chain,
        actions: [`hive allow ${chain.rootId}`, `hive allow ${chain.rootId} --stop`],
      }),
    ),
    ...agents.flatMap(needOfAgent),
  ]
  return needs.sort((a, b) => a.since - b.since)
}

function needOfAgent({ name, state, stateSince, parked, detail }: Agent): Need[] {
  if (state === 'needs_login') {
    const why = parked?.detail ?? 'no login'
    return [{ kind: 'login', since: stateSince, agent: name, detail: why, actions: [`hive restart ${name}`] }]
  }
  // A quota frees up by itself; the operator need not act.
  if (state === 'parked' && parked && parked.until === undefined) {
    return [
      { kind: 'parked', since: parked.since, agent: name, detail: parked.detail, actions: [`hive unpark ${name}`] },
    ]
  }
  if (state === 'failed') {
    const actions = [`hive logs ${name}`, `hive start ${name}`]
    return [{ kind: 'failed', since: stateSince, agent: name, detail: detail ?? 'its container keeps ending', actions }]
  }
  return []
}

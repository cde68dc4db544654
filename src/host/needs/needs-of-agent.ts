import { type Account, BUDGET_WARN_AT } from '../../wire/money.ts'
import type { Agent, Need } from '../../wire/things.ts'

/** How the reason begins with which the daemon pauses an agent; the operator need not know of a pause of their own. */
export const DISK_REASON = 'disk: '

/** What waits for the operator, without a time where nobody knows it. */
export type Undated<N extends Need = Need> = N extends Need ? Omit<N, 'since'> & { since?: number } : never

/** What of an agent waits for the operator: what its view says. */
export function needsOfAgent(agent: Agent): Undated[] {
  const { name, state, stateSince, parked, paused, detail, account } = agent
  const common = (kind: string) => ({ key: `${kind}:${name}`, link: `/a/${name}`, agent: name })
  const needs: Undated[] = []
  if (state === 'needs_login') {
    needs.push({
      ...common('login'),
      kind: 'login',
      since: stateSince,
      detail: parked?.detail ?? 'it has no login',
      actions: [`hive login ${name}`],
    })
  }
  // A quota frees up by itself; the operator need not act.
  if (state === 'parked' && parked && (parked.until === undefined || parked.reason === 'budget')) {
    needs.push({
      ...common('parked'),
      kind: 'parked',
      since: parked.since,
      detail: parked.detail,
      actions: [`hive unpark ${name}`],
    })
  }
  if (state === 'failed') {
    needs.push({
      ...common('failed'),
      kind: 'failed',
      since: stateSince,
      detail: detail ?? 'its container keeps ending',
      actions: [`hive logs ${name}`, `hive start ${name}`],
    })
  }
  if (paused?.reason.startsWith(DISK_REASON)) {
    needs.push({
      ...common('paused'),
      kind: 'paused',
      since: paused.since,
      detail: paused.reason,
      actions: [`hive resume ${name}`],
    })
  }
  if (parked?.reason !== 'budget') needs.push(...needsOfAccount(account, name))
  return needs
}

/** That most of a budget is used: of an agent, or of all together (`*`). */
export function needsOfAccount({ used, isOverridden }: Account, agent: string): Undated[] {
  if (used === null || used < BUDGET_WARN_AT || isOverridden) return []
  const isAll = agent === '*'
  return [
    {
      kind: 'budget',
      key: `budget:${agent}`,
      link: isAll ? '/' : `/a/${agent}`,
      agent,
      detail: `${Math.floor(used * 100)} % of today’s budget are used`,
      actions: [isAll ? 'hive usage' : `hive usage --agent ${agent}`],
    },
  ]
}

import type { hostOps } from '../wire/host-ops.ts'
import type { Output } from '../wire/op.ts'
import { agentStatusTable } from './agent-table.ts'
import { columns } from './cells.ts'
import type { Paint } from './paint.ts'
import { printableLine } from './printable.ts'
import { spanText } from './time-text.ts'

export type Status = Output<(typeof hostOps)['status']>

interface Look {
  readonly paint: Paint
  readonly now: () => number
}

/** The hive on one screen: what it is, its agents, its messages, what is wrong. */
export function statusText(status: Status, { paint, now }: Look): string {
  const { messages, slots, needs, errors } = status
  const facts = columns([
    ...(status.stopped ? [['stopped', paint(['bold', 'red'], stoppedText(status.stopped, now()))]] : []),
    ['model', modelText(status.model, paint)],
    ...(status.network === 'host' ? [['network', paint(['bold', 'red'], HOST_NETWORK)]] : []),
    ['hive', `${status.version}, pid ${status.pid}, up ${spanText(now() - status.startedAt)}, ${status.runtime}`],
    ['state', status.stateDir],
    ['slots', `${slots.used} of ${slots.total} in use`],
    [
      'messages',
      `${messages.queued} queued, ${messages.leased} in turn, ${messages.done} done, ` +
        paint(messages.dead > 0 ? 'red' : 'reset', `${messages.dead} dead`),
    ],
  ])
  const waiting = needs === 0 ? '' : `\n${paint('yellow', needsText(needs))}\n`
  const failing = errors.map(({ where, problem, since }) => {
    const text = `${where}: ${problem}`
    return `${paint('red', `✗ ${printableLine(text)}`)} (since ${spanText(now() - since)})\n`
  })
  const trouble = failing.length === 0 ? '' : `\n${failing.join('')}`
  return `${facts}\n${agentStatusTable(status.agents, { paint, now: now() })}${waiting}${trouble}`
}

/** What an emergency stop means, and how it ends. */
const stoppedText = ({ since, reason }: NonNullable<Status['stopped']>, now: number): string =>
  `EMERGENCY STOP for ${spanText(now - since)}${reason && `: ${printableLine(reason)}`}: nothing is delivered, until hive resume --all`

/** What is dangerous about the setting `network: host`. */
export const HOST_NETWORK = 'HOST: every agent has the network of this machine, its local services included'

/** What answers the agents; nobody should have to guess. */
export const modelText = (model: Status['model'], paint: Paint): string =>
  model === 'demo'
    ? paint(['bold', 'yellow'], 'DEMO: a scripted model answers, nothing is sent to Anthropic')
    : paint(['bold', 'green'], 'REAL: every turn calls the model and uses your account')

const needsText = (needs: number): string =>
  `${needs} ${needs === 1 ? 'thing waits' : 'things wait'} for you: hive needs`

import { BUDGET_WARN_AT } from '../wire/money.ts'
import type { Agent } from '../wire/things.ts'
import { columns } from './cells.ts'
import { spentText } from './money-text.ts'
import { AGENT_STYLE, type Paint } from './paint.ts'
import { printableLine } from './printable.ts'
import { shortSha } from './short-sha.ts'
import { spanText } from './time-text.ts'

interface Look {
  readonly paint: Paint
  /** Wall clock, unix milliseconds. */
  readonly now: number
}

type Column = readonly [title: string, cell: (agent: Agent) => string]

/** The agents, one a line. */
export const agentTable = (agents: readonly Agent[], look: Look): string =>
  table(agents, look, [
    ['NAME', ({ name }) => name],
    ['ROLE', ({ role }) => role],
    ...stateColumns(look),
    ['TURN', (agent) => turnText(agent, look.now)],
    ['MODEL', ({ model }) => printableLine(model)],
    ['UNREAD', ({ unread }) => String(unread)],
    ['SHA', shaText],
    ['TODAY', ({ account }) => spentText(account.spent)],
  ])

/** The same with the context's fill, and what is odd about each. */
export const agentStatusTable = (agents: readonly Agent[], look: Look): string =>
  table(agents, look, [
    ['AGENT', ({ name }) => name],
    ...stateColumns(look),
    ['TURN', (agent) => turnText(agent, look.now)],
    ['MODEL', ({ model }) => printableLine(model)],
    ['CTX', contextText],
    ['UNREAD', ({ unread }) => String(unread)],
    ['SHA', shaText],
    ['TODAY', ({ account }) => spentText(account.spent)],
    ['NOTE', (agent) => look.paint('yellow', noteText(agent, look.now))],
  ])

const stateColumns = ({ paint, now }: Look): Column[] => [
  ['STATE', ({ state }) => paint(AGENT_STYLE[state], state)],
  ['AGE', ({ stateSince }) => spanText(now - stateSince)],
]

const table = (agents: readonly Agent[], { paint }: Look, shown: readonly Column[]): string =>
  columns([
    shown.map(([title]) => paint('gray', title)),
    ...agents.map((agent) => shown.map(([, cell]) => cell(agent) || '-')),
  ])

function turnText({ turn }: Agent, now: number): string {
  if (!turn) return ''
  const [first, ...more] = turn.messages
  const others = more.length > 0 ? `+${more.length}` : ''
  return `${first === undefined ? '' : `#${first}${others} `}${spanText(now - turn.since)}`
}

const shaText = ({ sha }: Agent): string => (sha === null ? '' : shortSha(sha))

function contextText({ lastTurn }: Agent): string {
  const usage = lastTurn?.usage
  if (!usage || usage.contextWindow <= 0) return ''
  return `${Math.round((100 * usage.contextTokens) / usage.contextWindow)}%`
}

/** Why an agent does not simply work, in a few words. */
export function noteText(agent: Agent, now: number): string {
  const { operation, paused, parked, account, detail, needsUpdate, portTakenBy } = agent
  const until = parked?.until === undefined ? '' : `, goes on in ${spanText(parked.until - now)}`
  return printableLine(
    [
      operation && `${operation.verb} for ${spanText(now - operation.since)}`,
      paused && `paused${paused.reason && `: ${paused.reason}`}`,
      parked && `${parked.reason}: ${parked.detail}${until}`,
      !parked &&
        (account.used ?? 0) >= BUDGET_WARN_AT &&
        `${Math.floor((account.used ?? 0) * 100)}% of its budget of today`,
      detail,
      needsUpdate && 'on older programs: rebuild it',
      portTakenBy !== null && `no port of its own: ${portTakenBy} has it`,
    ]
      .filter(Boolean)
      .join('; '),
  )
}

import type { Need } from '../wire/things.ts'
import { requestText } from './approval-table.ts'
import { headline } from './headline.ts'
import type { Paint, Style } from './paint.ts'
import { printableLine } from './printable.ts'
import { spanText } from './time-text.ts'
import { undecodableText } from './undecodable.ts'

const TITLES: Record<Need['kind'], readonly [title: string, style: Style]> = {
  dead_letter: ['dead letter', 'red'],
  paused_chain: ['paused chain', 'yellow'],
  login: ['login', 'yellow'],
  parked: ['parked', 'yellow'],
  failed: ['failed', 'red'],
  update_failed: ['update failed', 'yellow'],
  budget: ['budget', 'yellow'],
  paused: ['paused', 'yellow'],
  stopped: ['stopped', 'red'],
  low_disk: ['low disk', 'red'],
  approval: ['approval', 'yellow'],
  question: ['question', 'yellow'],
  permission: ['permission', 'yellow'],
  undecodable: ['unreadable row', 'red'],
}
const TITLE_CELLS = 14
const BODY_CELLS = 60

/** One thing that waits for the operator, and what can be done about it. */
export function needText(need: Need, { paint, now }: { paint: Paint; now: number }): string {
  const [title, style] = TITLES[need.kind]
  // A row that cannot be read has no time.
  const age = need.since > 0 ? spanText(now - need.since) : ''
  const line = [paint(style, title.padEnd(TITLE_CELLS)), age.padEnd(4), whatWaits(need)].join('  ')
  const actions = need.actions.map(
    (action) => `${' '.repeat(TITLE_CELLS + 8)}${paint('cyan', printableLine(action))}\n`,
  )
  return `${line}\n${actions.join('')}`
}

function whatWaits(need: Need): string {
  switch (need.kind) {
    case 'dead_letter': {
      const { id, from, to, body, error, failures } = need.message
      const why = printableLine(error ?? `failed ${failures} times`)
      return `#${id} ${from} → ${to}: ${why}: ${headline(body, BODY_CELLS)}`
    }
    case 'paused_chain':
      return `#${need.rootId}, ${need.hops} hops among ${need.agents.join(', ')}: ${printableLine(need.reason)}`
    case 'approval': {
      const { id, description } = need.approval
      const words = headline(description ?? '', BODY_CELLS)
      return `${id}: ${requestText(need.approval)}${words ? `: ${words}` : ''}`
    }
    case 'question':
      return `${need.question.id}: ${need.question.asker} asks: ${headline(need.question.question, BODY_CELLS)}`
    case 'permission': {
      const { id, agent, tool, input } = need.permission
      return `${id}: ${agent} wants to use ${printableLine(tool)}: ${headline(input, BODY_CELLS)}`
    }
    case 'stopped':
      return printableLine(need.reason) || 'nothing is delivered to anybody'
    case 'low_disk':
      return need.detail
    case 'undecodable':
      return undecodableText(need.row)
    default:
      return `${need.agent}: ${printableLine(need.detail)}`
  }
}

/** What the commands that deal with it take. */
export function idOfNeed(need: Need): string | number {
  switch (need.kind) {
    case 'dead_letter':
      return need.message.id
    case 'paused_chain':
      return need.rootId
    case 'approval':
      return need.approval.id
    case 'question':
      return need.question.id
    case 'permission':
      return need.permission.id
    case 'stopped':
    case 'low_disk':
      return need.kind
    case 'undecodable':
      return printableLine(need.row.id)
    default:
      return need.agent
  }
}

import type { NeedKind } from '../../wire/sinks.ts'
import type { Need } from '../../wire/things.ts'
import { spelledOut } from '../repositories/spelled-out.ts'

/** What a sink tells the operator. */
export interface Notification {
  readonly title: string
  readonly text: string
  readonly isUrgent: boolean
  /** Of what waits. */
  readonly kinds: readonly NeedKind[]
  readonly keys: readonly string[]
  /** Page of the dashboard; absent where nobody knows its address. */
  readonly link?: string
}

export interface NotificationOptions {
  /** How much of each thing is told besides its title. */
  readonly characters: number
  readonly publicUrl?: string
  readonly urgent: readonly NeedKind[]
}

const MAX_TITLE = 120
/** Titles that a digest of many lists. */
const MOST_TITLES = 20

/** Says what waits: one thing, or several as a digest of their titles. */
export function notificationOf(needs: readonly [Need, ...Need[]], options: NotificationOptions): Notification {
  const [need, ...others] = needs
  const { characters, publicUrl, urgent } = options
  const kinds = [...new Set(needs.map(({ kind }) => kind))]
  const common = {
    isUrgent: kinds.some((kind) => urgent.includes(kind)),
    kinds,
    keys: needs.map(({ key }) => key),
  }
  const linkTo = (path: string) => (publicUrl ? { link: `${publicUrl.replace(/\/$/, '')}${path}` } : {})
  if (others.length === 0) {
    const { title, text } = wordsOf(need)
    return { ...common, ...linkTo(need.link), title: cut(title, MAX_TITLE), text: cut(text, characters) }
  }
  const titles = needs.slice(0, MOST_TITLES).map((one) => cut(wordsOf(one).title, MAX_TITLE))
  const rest = needs.length - titles.length
  return {
    ...common,
    ...linkTo('/'),
    title: `${needs.length} things wait for you`,
    text: [...titles, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'),
  }
}

/** A title says who and what; the text may hold what agents wrote. */
function wordsOf(need: Need): { title: string; text: string } {
  switch (need.kind) {
    case 'dead_letter': {
      const { from, to, error, body } = need.message
      return { title: `A message of ${from} to ${to} is dead`, text: `${error ?? 'it failed'}: ${body}` }
    }
    case 'paused_chain':
      return { title: `Messages among ${need.agents.join(', ')} are paused`, text: need.reason }
    case 'approval': {
      const { id, kind, agent, description } = need.approval
      return { title: `Approval ${id}: ${kind.replaceAll('_', ' ')} ${agent}`, text: description ?? '' }
    }
    case 'question':
      return { title: `${need.question.asker} asks`, text: need.question.question }
    case 'permission': {
      const { agent, tool, input } = need.permission
      return { title: `${agent} asks to use a tool`, text: `${tool}: ${input}` }
    }
    case 'login':
      return { title: `${need.agent} needs a login`, text: need.detail }
    case 'parked':
      return { title: `${need.agent} is parked`, text: need.detail }
    case 'failed':
      return { title: `${need.agent} failed`, text: need.detail }
    case 'update_failed':
      return { title: `${need.agent} could not be updated`, text: need.detail }
    case 'budget':
      return { title: `Budget of ${need.agent === '*' ? 'all agents' : need.agent}`, text: need.detail }
    case 'paused':
      return { title: `${need.agent} was paused`, text: need.detail }
    case 'stopped':
      return { title: 'Emergency stop', text: need.reason }
    case 'low_disk':
      return { title: 'The disk is nearly full', text: need.detail }
    case 'undecodable':
      return { title: `A row of ${need.row.table} cannot be read`, text: `${need.row.id}: ${need.row.problem}` }
  }
}

function cut(text: string, characters: number): string {
  const shown = [...spelledOut(text)]
  if (shown.length <= characters) return shown.join('')
  return characters === 0 ? '' : `${shown.slice(0, characters - 1).join('')}…`
}

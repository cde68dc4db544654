import type { Need } from './things.ts'

/** How one is told of what waits: a title says who and what; the text may hold what agents wrote, hidden characters too. */
export function wordsOf(need: Need): { title: string; text: string } {
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

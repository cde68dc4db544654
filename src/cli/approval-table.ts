import type { Approval } from '../wire/approvals.ts'
import { headlineTable } from './headline.ts'
import { APPROVAL_STYLE, type Paint } from './paint.ts'
import { printableLine } from './printable.ts'
import { shortSha } from './short-sha.ts'
import { spanText } from './time-text.ts'

interface Look {
  readonly paint: Paint
  /** Wall clock, unix milliseconds. */
  readonly now: number
  /** Cells of the terminal, if it is one. */
  readonly columns: number | undefined
}

const TITLES = ['ID', 'AGENT', 'KIND', 'STATE', 'AGE', 'SHA', 'WHAT']

/** The approvals, one a line, newest last. */
export function approvalTable(approvals: readonly Approval[], look: Look): string {
  const { paint, now } = look
  const rows = approvals.map((approval) => [
    String(approval.id),
    approval.agent,
    approval.kind,
    paint(APPROVAL_STYLE[approval.state], approvalStateText(approval)),
    spanText(now - approval.requestedAt),
    approval.sha === null ? '-' : shortSha(approval.sha),
    approval.description ?? '',
  ])
  return headlineTable(TITLES, rows, look)
}

/** Where an approval stands; while it is deployed, its step and its place in the queue. */
export function approvalStateText({ state, step, position }: Pick<Approval, 'state' | 'step' | 'position'>): string {
  if (state !== 'approved' || step === null) return state
  const place = position === null ? '' : ` #${position}`
  return `${step.replaceAll('_', ' ')}${place}`
}

/** Who asks for what, in a few words. */
export function requestText({ requester, kind, agent }: Pick<Approval, 'requester' | 'kind' | 'agent'>): string {
  const who = printableLine(requester)
  switch (kind) {
    case 'spawn':
      return `${who} asks for an agent ${agent}`
    case 'init_config':
      return `${who} asks for a configuration to write for ${agent}`
    case 'apply_commit':
      return `${who} proposes a change to ${agent}`
  }
}

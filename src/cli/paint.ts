import { styleText } from 'node:util'
import type { ApprovalState } from '../wire/approvals.ts'
import type { AgentState, MessageState } from '../wire/things.ts'
import type { Terminal } from './io.ts'

export type Style = Parameters<typeof styleText>[0]
export type Paint = (style: Style, text: string) => string

/** Colours for what goes to this terminal; the text as it is when it takes none. */
export const createPaint =
  ({ colors }: Pick<Terminal, 'colors'>): Paint =>
  (style, text) =>
    colors && text !== '' ? styleText(style, text, { validateStream: false }) : text

export const AGENT_STYLE = {
  stopped: 'gray',
  offline: 'gray',
  starting: 'cyan',
  needs_login: 'yellow',
  parked: 'yellow',
  paused: 'yellow',
  asking: 'yellow',
  waiting: 'cyan',
  thinking: 'blue',
  compacting: 'blue',
  idle: 'green',
  failed: 'red',
} as const satisfies Record<AgentState, Style>

export const MESSAGE_STYLE = {
  queued: 'cyan',
  leased: 'blue',
  done: 'green',
  dead: ['bold', 'red'],
} as const satisfies Record<MessageState, Style>

export const APPROVAL_STYLE = {
  pending: 'yellow',
  stale: 'yellow',
  approved: 'cyan',
  deployed: 'green',
  failed: ['bold', 'red'],
  denied: 'gray',
  cancelled: 'gray',
} as const satisfies Record<ApprovalState, Style>

import { z } from 'zod'
import type { Level } from './row.ts'

/** A note; notes in a row with the same topic become one, the newest. */
export interface EngineNote {
  readonly level: Level
  readonly text: string
  readonly topic?: string
}

type Reader = (line: Line) => EngineNote | 'quiet' | undefined

const Text = z.string().nullish()
const Figure = z.number().nullish()
/** The fields of the engine's own lines that a note is made of; all of it is the agent's claim. */
const Line = z.object({
  type: z.string(),
  subtype: Text,
  status: Text,
  compact_result: Text,
  compact_error: Text,
  compact_metadata: z.object({ trigger: Text, pre_tokens: Figure, post_tokens: Figure }).nullish(),
  attempt: Figure,
  max_retries: Figure,
  error: Text,
  summary: Text,
  tool_name: Text,
  message: z.unknown().optional(),
  hook_name: Text,
  outcome: Text,
  rate_limit_info: z
    .object({
      status: Text,
      rateLimitType: Text,
      resetsAt: Figure,
      utilization: Figure,
      isUsingOverage: z.unknown().optional(),
    })
    .nullish(),
})
type Line = z.infer<typeof Line>

const quiet = (): 'quiet' => 'quiet'
const tokens = (count: number | null | undefined): string =>
  typeof count === 'number' ? count.toLocaleString('en') : '?'

const dateText = (at: number): string => {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? '?' : date.toISOString()
}

/** By type and subtype. What begins and ends turns stands in rows of its own, and needs no second one. */
const LINES: Readonly<Record<string, Reader>> = {
  result: quiet,
  'system/init': quiet,
  'system/session_state_changed': quiet,
  'system/thinking_tokens': quiet,
  'system/background_tasks_changed': quiet,
  'system/task_started': quiet,
  'system/task_progress': quiet,
  'system/task_updated': quiet,
  'system/hook_started': quiet,
  // Of a prompt that was queued: turns have rows of their own.
  command_lifecycle: quiet,
  'system/hook_response': ({ hook_name, outcome }) =>
    outcome && outcome !== 'success' ? { level: 'warn', text: `hook ${hook_name}: ${outcome}` } : 'quiet',
  'system/status': ({ status, compact_result, compact_error }) => {
    if (status === 'compacting') return { level: 'info', text: 'the context is being compacted', topic: 'compact' }
    if (!compact_result || compact_result === 'success') return 'quiet'
    return { level: 'warn', text: `the context could not be compacted: ${compact_error ?? compact_result}` }
  },
  'system/compact_boundary': ({ compact_metadata }) => ({
    level: 'info',
    text: `the context was compacted: from ${tokens(compact_metadata?.pre_tokens)} to ${tokens(compact_metadata?.post_tokens)} tokens`,
    topic: 'compact',
  }),
  'system/api_retry': ({ attempt, max_retries, error }) => ({
    level: 'warn',
    text: `the model is asked again (${attempt ?? '?'} of ${max_retries ?? '?'}): ${error ?? 'unknown'}`,
    topic: 'retry',
  }),
  'system/task_notification': ({ status, summary }) => ({
    level: status === 'failed' ? 'warn' : 'info',
    text: `in the background: ${summary ?? '?'} (${status ?? '?'})`,
  }),
  'system/permission_denied': ({ tool_name, message }) => ({
    level: 'warn',
    text: `not permitted: ${tool_name ?? '?'}${typeof message === 'string' ? `: ${message}` : ''}`,
  }),
  conversation_reset: () => ({ level: 'info', text: 'a fresh session begins' }),
  rate_limit_event: ({ rate_limit_info }) => {
    if (!rate_limit_info) return undefined
    const { status, rateLimitType, resetsAt } = rate_limit_info
    if (status === 'allowed') return 'quiet'
    const until = resetsAt ? `, until ${dateText(resetsAt * 1000)}` : ''
    return { level: 'warn', text: `usage limit (${rateLimitType ?? '?'}): ${status ?? '?'}${until}`, topic: 'limit' }
  },
}

/** What a line of the engine that says nothing by itself is to a reader; undefined: it is not known. */
export function readEngineLine(value: Readonly<Record<string, unknown>>): EngineNote | 'quiet' | undefined {
  const line = Line.safeParse(value).data
  if (!line) return undefined
  const name = engineLineName(value)
  const reader = Object.hasOwn(LINES, name) ? LINES[name] : LINES[line.type === 'result' ? 'result' : '']
  return reader?.(line)
}

/** `system/init` */
export const engineLineName = ({ type, subtype }: Readonly<Record<string, unknown>>): string =>
  type === 'system' ? `system/${subtype}` : String(type)

import { z } from 'zod'
import type { Permission } from '../wire/permissions.ts'
import type { Paint } from './paint.ts'
import { printable, printableLine } from './printable.ts'
import { spanText } from './time-text.ts'
import { waitingText } from './waiting-text.ts'

interface Look {
  readonly paint: Paint
  /** Wall clock, unix milliseconds. */
  readonly now: number
  /** With every line of its input. */
  readonly isWhole?: boolean
}

/** The most lines of an input in a list. */
const MAX_LINES = 30
const BashInput = z.object({ command: z.string() })

/** What the tool is to be called with: the command of Bash, or JSON. */
export function wantedText({ tool, input }: Permission): string {
  if (tool !== 'Bash') return input
  try {
    return BashInput.safeParse(JSON.parse(input)).data?.command ?? input
  } catch {
    return input // It is cut, and shown as it is.
  }
}

/** One permission: who wants to do what, since when, and what can be done about it. */
export function permissionText(permission: Permission, { paint, now, isWhole = false }: Look): string {
  const { id, agent, tool, description, state, decidedAt, message, pattern } = permission
  const isPending = state === 'pending'
  const when = isPending ? waitingText(permission, now) : `${state} ${spanText(now - (decidedAt ?? now))} ago`
  const head = `${paint('bold', String(id))}  ${printableLine(agent)} wants to use ${printableLine(tool)}; ${paint('gray', when)}`
  const lines = printable(wantedText(permission)).split('\n')
  const shown = isWhole ? lines.length : MAX_LINES
  const more =
    lines.length > shown ? [`    … and ${lines.length - shown} lines more: hive permissions ${id} has them`] : []
  return `${[
    head,
    ...lines.slice(0, shown).map((line) => `    ${line}`.trimEnd()),
    ...more,
    ...(description === null ? [] : [`    ${paint('gray', `"${printableLine(description)}"`)}`]),
    ...(message === null ? [] : [`    ${paint('green', '→')} ${printableLine(message)}`]),
    ...(isPending ? actionsOf(id, pattern).map((action) => `    ${paint('cyan', action)}`) : []),
  ].join('\n')}\n`
}

const actionsOf = (id: number, pattern: string | null): string[] => [
  `hive permit ${id}`,
  ...(pattern === null ? [] : [`hive permit ${id} --always '${printableLine(pattern)}'`]),
  `hive refuse ${id} -m '<why>'`,
]

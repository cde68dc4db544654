import type { DeployLine, Diff } from '../wire/approvals.ts'
import type { hostOps } from '../wire/host-ops.ts'
import type { Output } from '../wire/op.ts'
import { approvalStateText } from './approval-table.ts'
import { columns } from './cells.ts'
import { diffText } from './diff-text.ts'
import { APPROVAL_STYLE, type Paint } from './paint.ts'
import { printable, printableLine } from './printable.ts'
import { clockText, dateText, spanText } from './time-text.ts'

/** An approval as the daemon shows it. */
export type Shown = Output<(typeof hostOps)['show']>

interface Look {
  readonly paint: Paint
  /** Wall clock, unix milliseconds. */
  readonly now: number
}

/** Who asks for what, in whose words, and which files it changes. */
export function summaryText({ approval, diff, commit, problem }: Shown, { paint, now }: Look): string {
  const { id, agent, kind, state, sha, base, requester, requestedAt, decidedAt, endedAt, tag, note } = approval
  const facts = [
    ['approval', paint('bold', String(id))],
    ['agent', agent],
    ['kind', kind],
    ['state', paint(APPROVAL_STYLE[state], approvalStateText(approval))],
    ['asked', `by ${printableLine(requester)}, ${dateText(requestedAt)}, ${spanText(now - requestedAt)} ago`],
    ['commit', sha ?? ''],
    ['base', base === null ? '' : `${base} (what runs)`],
    ['author', commit ? `${printableLine(commit.author)}, ${dateText(commit.at)}` : ''],
    ['decided', decidedAt === null ? '' : dateText(decidedAt)],
    ['ended', endedAt === null ? '' : dateText(endedAt)],
    ['tag', tag ?? ''],
    ['note', printableLine(note ?? '')],
    ['problem', problem === null ? '' : paint(['bold', 'red'], printableLine(problem))],
  ]
  const known = facts.filter(([, value]) => value !== '')
  const words = [approval.description, commit?.message].map((text) => wordsText(text ?? ''))
  return [columns(known), ...new Set(words), diff ? filesText(diff, paint) : ''].join('')
}

/** Words of the requester, set off so that nobody takes them for the hive's. */
function wordsText(words: string): string {
  if (words.trim() === '') return ''
  const lines = printable(words.trim()).split('\n')
  return `\n${lines.map((line) => `    ${line}`.trimEnd()).join('\n')}\n`
}

function filesText({ files, truncated }: Diff, paint: Paint): string {
  if (files.length === 0 && truncated === null) return '\n(proposal matches currently-deployed tree)\n'
  const rows = files.map(({ path, change, added, removed, remarks }) => [
    ` ${printableLine(path)}`,
    paint('green', `+${added}`),
    paint('red', `−${removed}`),
    change,
    paint(['bold', 'yellow'], remarks.map(printableLine).join(', ')),
  ])
  return `\n${columns(rows)}${truncatedText(truncated, paint)}`
}

function truncatedText(truncated: string | null, paint: Paint): string {
  if (truncated === null) return ''
  const text = `THE DIFF IS NOT COMPLETE, so it cannot be approved: ${printableLine(truncated)}`
  return `\n${paint(['bold', 'red'], `▌ ${text}`)}\n`
}

/** The diff of a proposal; nothing where there is none. Says at its end too when it is cut. */
export function changesText({ diff }: Shown, paint: Paint): string {
  if (!diff || diff.text === '') return ''
  const text = diffText(diff.text, paint)
  return `\n${text}${text.endsWith('\n') ? '' : '\n'}${truncatedText(diff.truncated, paint)}`
}

/** One line of the log of a deploy. */
export const deployLineText = ({ at, text }: DeployLine, paint: Paint): string =>
  `${paint('gray', clockText(at))}  ${printableLine(text)}\n`

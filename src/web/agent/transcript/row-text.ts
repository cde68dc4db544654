import { visible, visibleLine } from '../../ui/visible.ts'
import { type Clip, isCut } from './clip.ts'
import type { Call, CallResult, Row } from './row.ts'

const textOf = (text: Clip): string =>
  isCut(text) ? `${text.text}\n… ${text.length - text.text.length} more characters` : text.text

/** A fence that no line of the text can end. */
function fenced(text: string, language = ''): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${visible(text).trimEnd()}\n${fence}`
}

const quoted = (text: string): string => visible(text).trimEnd().replaceAll(/^/gm, '> ')
/** Words of an agent within a line of ours: none of them may be a mark of Markdown. */
const plain = (text: string): string => visibleLine(text).replaceAll(/[\\`*_[\]<>#|~]/g, '\\$&')

/** A row as Markdown, as far as it holds what it says. */
export function rowText(row: Row): string {
  switch (row.kind) {
    case 'turn': {
      const senders = [...new Set(row.messages.map(({ from }) => plain(from)))].join(', ')
      const messages = row.messages.map(
        ({ id, from, body }) => `#${id} from ${plain(from)}:\n\n${quoted(textOf(body))}`,
      )
      return [`## Turn${senders && ` ← ${senders}`}`, ...messages].join('\n\n')
    }
    case 'end':
      return `*Turn ended: ${row.end.reason}${row.end.detail && ` (${plain(row.end.detail)})`}*`
    case 'text':
      return visible(textOf(row.text)).trimEnd()
    case 'thinking':
      return `*thinks:*\n\n${quoted(textOf(row.text))}`
    case 'words':
      return `*told:*\n\n${quoted(textOf(row.text))}`
    case 'calls':
      return row.calls.map(callText).join('\n\n')
    case 'result':
      return resultText(row.result)
    case 'note':
      return `*${row.level}: ${plain(row.text)}*`
    case 'raw':
      return `*${plain(row.name)}*\n\n${fenced(textOf(row.json), 'json')}`
  }
}

function callText({ label, title, body, change, result }: Call): string {
  const parts = [`**${plain(label)}** ${plain(title)}`]
  if (body) parts.push(fenced(textOf(body)))
  if (change) {
    const rest = change.more > 0 ? [`… ${change.more} more lines`] : []
    parts.push(fenced([...change.lines, ...rest].join('\n'), 'diff'))
  }
  if (result) parts.push(resultText(result))
  return parts.join('\n\n')
}

function resultText({ isError, text, imageCount }: CallResult): string {
  const parts = isError ? ['*failed:*'] : []
  if (text.length > 0) parts.push(fenced(textOf(text)))
  if (imageCount > 0) parts.push(`*${imageCount} pictures*`)
  return parts.join('\n\n') || '*(nothing came back)*'
}

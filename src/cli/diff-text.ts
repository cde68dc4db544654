import type { Paint, Style } from './paint.ts'
import { printable } from './printable.ts'

const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/
const CONTENT: Readonly<Record<string, { style?: Style; old: number; new: number }>> = {
  '+': { style: 'green', old: 0, new: 1 },
  '-': { style: 'red', old: 1, new: 0 },
  ' ': { old: 1, new: 1 },
}

/**
 * A unified diff in the colours of git. Its place in a hunk decides what a line is, not its first letters:
 * `+++ b/x` may be a line that is added.
 */
export function diffText(diff: string, paint: Paint): string {
  let left = { old: 0, new: 0 }
  const paintLine = (line: string): string => {
    const content = left.old > 0 || left.new > 0 ? CONTENT[line[0] ?? ''] : undefined
    if (content) {
      left = { old: left.old - content.old, new: left.new - content.new }
      return content.style ? paint(content.style, line) : line
    }
    const hunk = HUNK.exec(line)
    // `\ No newline at end of file`
    if (!hunk) return line.startsWith('\\') ? line : paint('bold', line)
    left = { old: Number(hunk[1] ?? 1), new: Number(hunk[2] ?? 1) }
    return paint('cyan', line)
  }
  return printable(diff).split('\n').map(paintLine).join('\n')
}

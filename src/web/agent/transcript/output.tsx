import { classNames } from '../../ui/class-names.ts'
import { visible } from '../../ui/visible.ts'
import { AnsiText } from '../ansi-text.tsx'
import { type Clip, isCut } from './clip.ts'
import type { InlineDiff } from './inline-diff.ts'

const BLOCK =
  'max-h-[32rem] overflow-auto rounded-md bg-raise p-2 font-mono text-xs leading-5 whitespace-pre-wrap break-words'

/** What a program wrote, in its colours. A long one scrolls in itself. */
export function Output({ text, isError = false }: { text: Clip; isError?: boolean }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached with the keyboard
    <pre tabIndex={0} className={classNames(BLOCK, isError ? 'text-err' : 'text-dim')}>
      <AnsiText text={text.text} />
      <Rest of={text} />
    </pre>
  )
}

/** How much of a text is not here. */
export const Rest = ({ of }: { of: Clip }) =>
  isCut(of) ? <span className="text-faint">{`\n… ${of.length - of.text.length} more characters`}</span> : null

const LINES: Readonly<Record<string, string>> = {
  '+': 'bg-ok/10 text-ok',
  '-': 'bg-err/10 text-err',
}

/** The lines of a change. */
export function ChangeLines({ change }: { change: InlineDiff }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached with the keyboard
    <pre tabIndex={0} className={classNames(BLOCK, 'text-dim')}>
      {change.lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a change stay where they are
        <span key={index} className={classNames('block min-h-5', LINES[line[0] ?? ''])}>
          {visible(line)}
        </span>
      ))}
      {change.more > 0 && <span className="text-faint">… {change.more} more lines</span>}
    </pre>
  )
}

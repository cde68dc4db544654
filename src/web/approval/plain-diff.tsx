import { visible } from '../ui/visible.ts'

/** A unified diff as text: what is there before, and without, the one that highlights. */
export const PlainDiff = ({ text }: { text: string }) => (
  <pre className="overflow-x-auto p-3 font-mono text-xs" tabIndex={-1}>
    {text.split('\n').map((line, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text that never changes
      <span key={index} className={TONES[line[0] ?? '']}>
        {visible(line)}
        {'\n'}
      </span>
    ))}
  </pre>
)

const TONES: Readonly<Record<string, string>> = { '+': 'text-ok', '-': 'text-err', '@': 'text-info' }

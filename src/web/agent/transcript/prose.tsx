import { useMemo } from 'react'
import { visible } from '../../ui/visible.ts'
import { renderMarkdown } from './markdown.ts'

/** Markdown of an agent. */
export function Prose({ text }: { text: string }) {
  const content = useMemo(() => renderMarkdown(text), [text])
  if (content === undefined) return <p className="break-words whitespace-pre-wrap">{visible(text)}</p>
  return <div className={PROSE}>{content}</div>
}

const PROSE = [
  'break-words [&_p]:pb-1.5 [&_.md-heading]:pt-1 [&_.md-heading]:text-[1.08em] [&_.md-heading]:font-semibold',
  '[&_a]:text-info [&_a]:underline [&_.md-image]:text-dim',
  '[&_ul]:list-disc [&_ol]:list-decimal [&_:is(ul,ol)]:pb-1.5 [&_:is(ul,ol)]:pl-5',
  '[&_code]:rounded [&_code]:bg-raise [&_code]:px-1 [&_code]:font-mono [&_code]:text-[0.92em]',
  '[&_pre]:mb-1.5 [&_pre]:overflow-x-auto [&_pre]:rounded-md [&_pre]:bg-raise [&_pre]:p-2.5 [&_pre_code]:p-0',
  '[&_blockquote]:mb-1.5 [&_blockquote]:border-l-2 [&_blockquote]:border-line [&_blockquote]:pl-3 [&_blockquote]:text-dim',
  '[&_table]:mb-1.5 [&_table]:block [&_table]:overflow-x-auto [&_:is(th,td)]:border [&_:is(th,td)]:border-line [&_:is(th,td)]:px-2 [&_:is(th,td)]:py-0.5',
  '[&_hr]:my-2 [&_hr]:border-line',
].join(' ')

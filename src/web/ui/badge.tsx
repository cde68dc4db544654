import type { ReactNode } from 'react'
import { classNames } from './class-names.ts'

export type Tone = 'plain' | 'accent' | 'ok' | 'err' | 'info' | 'think' | 'faint'

/** The colour of words; state is never said by colour alone. */
export const TONES: Readonly<Record<Tone, string>> = {
  plain: 'text-dim',
  accent: 'text-accent',
  ok: 'text-ok',
  err: 'text-err',
  info: 'text-info',
  think: 'text-think',
  faint: 'text-faint',
}

/** A short word of machine text on a ground of its own. */
export const Badge = ({
  tone = 'plain',
  title,
  className,
  children,
}: {
  tone?: Tone
  title?: string
  className?: string
  children: ReactNode
}) => (
  <span
    title={title}
    className={classNames(
      'inline-flex items-center gap-1.5 rounded-full bg-raise px-2 py-0.5 font-mono text-xs whitespace-nowrap',
      TONES[tone],
      className,
    )}
  >
    {children}
  </span>
)

/** How many there are. */
export const Count = ({ of, isUrgent = false }: { of: number; isUrgent?: boolean }) => (
  <span
    className={classNames(
      'rounded-full px-2 py-0.5 font-mono text-xs font-normal',
      isUrgent ? 'bg-accent text-on-accent' : 'bg-raise text-dim',
    )}
  >
    {of}
  </span>
)

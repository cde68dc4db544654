import type { ComponentProps } from 'react'
import { Link } from 'wouter'
import { classNames } from './class-names.ts'

export type Look = 'plain' | 'main' | 'danger' | 'quiet'

const LOOKS: Readonly<Record<Look, string>> = {
  plain: 'border-line bg-raise text-fg hover:border-faint',
  main: 'border-accent bg-accent font-semibold text-on-accent vibe:shadow-[var(--glow)] hover:brightness-110',
  danger: 'border-line bg-raise text-err hover:border-err',
  quiet: 'border-transparent text-dim hover:bg-raise hover:text-fg',
}

/** How everything looks that is pressed. */
export const buttonLook = (look: Look = 'plain', more?: string): string =>
  classNames(
    'inline-flex min-h-8 cursor-pointer items-center justify-center gap-1.5 rounded-md border px-3 py-1 whitespace-nowrap',
    'disabled:cursor-not-allowed disabled:opacity-50 data-disabled:cursor-not-allowed data-disabled:opacity-50',
    LOOKS[look],
    more,
  )

/** A button that submits nothing unless it is told to. */
export const Button = ({ look, className, type = 'button', ...props }: ComponentProps<'button'> & { look?: Look }) => (
  <button type={type} className={buttonLook(look, className)} {...props} />
)

/** A link to a page of the app that looks like a button. */
export const LinkButton = ({
  look,
  className,
  href,
  children,
}: {
  look?: Look
  className?: string
  href: string
  children: React.ReactNode
}) => (
  <Link href={href} className={buttonLook(look, className)}>
    {children}
  </Link>
)

import type { ReactNode } from 'react'

/** A part that scrolls in itself, and that can be reached with the keyboard to do so. */
export const Scroll = ({ label, className, children }: { label: string; className: string; children: ReactNode }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a mouse
  <section aria-label={label} tabIndex={0} className={className}>
    {children}
  </section>
)

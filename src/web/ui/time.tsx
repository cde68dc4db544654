import '@github/relative-time-element'
import type { RelativeTimeElement } from '@github/relative-time-element'
import type { DetailedHTMLProps, HTMLAttributes } from 'react'

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'relative-time': DetailedHTMLProps<HTMLAttributes<RelativeTimeElement>, RelativeTimeElement> & {
        datetime: string
        format?: string
        tense?: string
        precision?: string
        'format-style'?: string
      }
    }
  }
}

/** How long ago something was, in unix milliseconds; the whole time is the tooltip. Nothing for a time that nobody knows. */
export const Ago = ({ at }: { at: number }) =>
  at > 0 ? (
    <relative-time
      datetime={new Date(at).toISOString()}
      tense="past"
      className="text-xs whitespace-nowrap text-faint"
    />
  ) : null

/** When something will be. */
export const Until = ({ at }: { at: number }) => (
  <relative-time datetime={new Date(at).toISOString()} tense="future" className="whitespace-nowrap" />
)

/** For how long something has been so: it counts. */
export const Elapsed = ({ since }: { since: number }) => (
  <relative-time datetime={new Date(since).toISOString()} format="elapsed" className="whitespace-nowrap" />
)

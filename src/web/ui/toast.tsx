import { createContext, lazy, type ReactNode, Suspense, useContext, useMemo, useState } from 'react'
import { HiveError } from '../../wire/errors.ts'
import { visible } from './visible.ts'

/** Says in passing what came of a deed. */
export interface Notices {
  done(title: string, detail?: string): void
  /** Stays until it is closed. */
  problem(title: string, detail?: string): void
  /** What an operation says of why it failed, with the next step. */
  error(error: unknown): void
}

export interface Notice {
  readonly title: string
  readonly detail: string | undefined
  readonly isProblem: boolean
}

const ToastStack = lazy(() => import('./toast-stack.tsx').then(({ ToastStack }) => ({ default: ToastStack })))
const NoticesContext = createContext<Notices | undefined>(undefined)

export function useToast(): Notices {
  const notices = useContext(NoticesContext)
  if (!notices) throw new Error('a part of the page stands outside of Toasts')
  return notices
}

/** Shows what is said with `useToast` within it. What it needs is fetched with the first. */
export function Toasts({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState<readonly Notice[]>([])
  const notices = useMemo((): Notices => {
    const say = (isProblem: boolean, title: string, detail: string | undefined) =>
      setSaid((before) => [...before, { title: visible(title), detail: detail && visible(detail), isProblem }])
    return {
      done: (title, detail) => say(false, title, detail),
      problem: (title, detail) => say(true, title, detail),
      error: (error) =>
        say(
          true,
          error instanceof Error ? error.message : String(error),
          error instanceof HiveError ? error.hint : undefined,
        ),
    }
  }, [])
  return (
    <NoticesContext value={notices}>
      {children}
      {said.length > 0 && (
        <Suspense>
          <ToastStack said={said} />
        </Suspense>
      )}
    </NoticesContext>
  )
}

import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { HiveError } from '../../wire/errors.ts'
import { Button } from './button.tsx'
import { Empty } from './panel.tsx'
import { visible } from './visible.ts'

/** What was fetched; that it is being fetched, or why it cannot be, where it is not there. */
export function QueryView<T>({
  query,
  children,
}: {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch'>
  children: (data: T) => ReactNode
}) {
  const { data, error, refetch } = query
  return (
    <>
      {error && <Problem error={error} retry={() => void refetch()} />}
      {data !== undefined ? children(data) : !error && <Empty>Loading…</Empty>}
    </>
  )
}

/** Why something failed, and the next step. */
export const Problem = ({ error, retry }: { error: Error; retry?: () => void }) => (
  <div role="alert" className="flex flex-wrap items-center gap-2 px-3 py-2 text-err">
    <span className="min-w-0 flex-1 break-words">
      {visible(error.message)}
      {error instanceof HiveError && error.hint && <span className="text-dim"> ({visible(error.hint)})</span>}
    </span>
    {retry && <Button onClick={retry}>Try again</Button>}
  </div>
)

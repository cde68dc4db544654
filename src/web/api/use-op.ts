import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { hostOps } from '../../wire/host-ops.ts'
import type { Input, Output } from '../../wire/op.ts'
import type { OpName } from './call.ts'
import { useHive } from './live.ts'

type HostOps = typeof hostOps

export interface Fetching {
  /** Fetched again when this changes; what was there stays until then. */
  readonly when?: unknown
  readonly everyMs?: number
  readonly isOn?: boolean
  /** Not fetched again by itself: what is on the screen stays there until it is asked for. */
  readonly isKept?: boolean
}

/** What an operation that only reads says. */
export function useOp<K extends OpName>(
  name: K,
  input: Input<HostOps[K]>,
  { when = null, everyMs, isOn = true, isKept = false }: Fetching = {},
): UseQueryResult<Output<HostOps[K]>> {
  const { call } = useHive()
  return useQuery({
    queryKey: [name, input, when],
    queryFn: ({ signal }) => call(name, input, { signal }),
    // What was said of the same, never of another agent or approval.
    placeholderData: (before, query) => (sameAsked(query?.queryKey, [name, input]) ? before : undefined),
    refetchInterval: everyMs,
    enabled: isOn,
    ...(isKept && { staleTime: 'static' as const, gcTime: 0 }),
  }) as UseQueryResult<Output<HostOps[K]>>
}

const sameAsked = (key: readonly unknown[] | undefined, asked: readonly unknown[]): boolean =>
  JSON.stringify(key?.slice(0, asked.length)) === JSON.stringify(asked)

import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
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
}

/** What an operation that only reads says. */
export function useOp<K extends OpName>(
  name: K,
  input: Input<HostOps[K]>,
  { when = null, everyMs, isOn = true }: Fetching = {},
): UseQueryResult<Output<HostOps[K]>> {
  const { call } = useHive()
  return useQuery({
    queryKey: [name, input, when],
    queryFn: ({ signal }) => call(name, input, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: everyMs,
    enabled: isOn,
  }) as UseQueryResult<Output<HostOps[K]>>
}

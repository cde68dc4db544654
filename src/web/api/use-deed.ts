import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import type { hostOps } from '../../wire/host-ops.ts'
import type { Input, Output } from '../../wire/op.ts'
import { useToast } from '../ui/toast.tsx'
import type { OpName } from './call.ts'
import { useHive, useIsLive } from './live.ts'

type HostOps = typeof hostOps

/**
 * Does an operation that changes something: says `done` when it worked, or why it failed, and has fetched again what was
 * fetched. Rejects with what was shown already.
 */
export type Run = <K extends OpName>(name: K, input: Input<HostOps[K]>, done?: string) => Promise<Output<HostOps[K]>>

export function useRun(): Run {
  const { call } = useHive()
  const queries = useQueryClient()
  const toast = useToast()
  return useCallback(
    async (name, input, done) => {
      try {
        const output = await call(name, input)
        if (done !== undefined) toast.done(done)
        return output
      } catch (error) {
        toast.error(error)
        throw error
      } finally {
        // Also when it failed: mostly since what was shown is not so any more.
        void queries.invalidateQueries()
      }
    },
    [call, queries, toast],
  )
}

/** One operation, as its button needs it. */
export interface Deed<K extends OpName> {
  readonly run: (input: Input<HostOps[K]>) => Promise<Output<HostOps[K]>>
  readonly isBusy: boolean
  /** What is shown is current, and it is not being done already. */
  readonly canRun: boolean
}

export function useDeed<K extends OpName>(name: K, done?: string): Deed<K> {
  const run = useRun()
  const isLive = useIsLive()
  const [isBusy, setBusy] = useState(false)
  return {
    isBusy,
    canRun: isLive && !isBusy,
    async run(input) {
      setBusy(true)
      try {
        return await run(name, input, done)
      } finally {
        setBusy(false)
      }
    },
  }
}

/** For buttons: a deed whose failure was shown needs nothing more. */
export const quietly = (deed: Promise<unknown>): void => void deed.catch(() => {})

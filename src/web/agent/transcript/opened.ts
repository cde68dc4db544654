import { useCallback, useMemo, useState } from 'react'

/** Which blocks a reader opened or closed: it outlives their rows, which come and go with the window. */
export interface Opened {
  /** `byItself`: how it is as long as nobody touched it. */
  readonly isOpen: (key: string, byItself: boolean) => boolean
  readonly toggle: (key: string, isOpen: boolean) => void
  /** Opens all, or closes all. */
  readonly toggleAll: () => void
}

export function useOpened(): Opened {
  const [{ all, touched }, set] = useState<{ all: boolean | undefined; touched: ReadonlyMap<string, boolean> }>({
    all: undefined,
    touched: new Map(),
  })
  const toggle = useCallback(
    (key: string, isOpen: boolean) => set((now) => ({ ...now, touched: new Map(now.touched).set(key, !isOpen) })),
    [],
  )
  const toggleAll = useCallback(() => set((now) => ({ all: !now.all, touched: new Map() })), [])
  return useMemo(
    () => ({ isOpen: (key, byItself) => touched.get(key) ?? all ?? byItself, toggle, toggleAll }),
    [all, touched, toggle, toggleAll],
  )
}

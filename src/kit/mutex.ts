/** Runs one action after the other. */
export type Mutex = <T>(action: () => Promise<T>) => Promise<T>

/** A new one, free. What an action throws is its caller's, and frees it too. */
export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve()
  return (action) => {
    const result = last.then(action)
    last = result.catch(() => {}) // Whoever called is told.
    return result
  }
}

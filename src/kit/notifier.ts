export interface Notifier {
  notify(): void
  /** Resolves at the next `notify`, after `timeoutMs`, or when `signal` aborts: whichever comes first. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>
  /** Calls `listener` at every `notify` until the result is called. */
  subscribe(listener: () => void): () => void
}

/** Wakes long polls: whoever waits looks again for itself. */
export function createNotifier(): Notifier {
  const waiting = new Set<() => void>()
  const subscribed = new Set<() => void>()
  return {
    notify() {
      for (const wake of waiting) wake()
      for (const listener of subscribed) listener()
    },
    subscribe(listener) {
      // Each its own, also when the same function comes twice.
      const call = () => listener()
      subscribed.add(call)
      return () => void subscribed.delete(call)
    },
    wait(timeoutMs, signal) {
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          clearTimeout(timer)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        const timer = setTimeout(wake, timeoutMs)
        signal.addEventListener('abort', wake, { once: true })
        waiting.add(wake)
        if (signal.aborted) wake()
      })
    },
  }
}

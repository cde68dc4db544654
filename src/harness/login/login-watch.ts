import { type FSWatcher, watch } from 'node:fs'

export interface LoginWatchOptions {
  readonly directory: string
  /** Names of the files in it that a login is in. */
  readonly files: readonly string[]
  /** Names the login that is there now. */
  readonly readId: () => string
  readonly onChange: () => void
  /** Told when there can be no watch, and why; then it looks every `slowMs`. */
  readonly onBlind: (why: string) => void
  readonly slowMs?: number
}

/** Writers make several steps of one change. */
const SETTLE_MS = 100
const SLOW_MS = 60_000

/** Calls `onChange` whenever the login is another: made, renewed or removed by whatever runs in the sandbox. */
export function watchLogin(options: LoginWatchOptions): Disposable {
  const { directory, files, readId, onChange, onBlind, slowMs = SLOW_MS } = options
  let known = readId()
  let settling: NodeJS.Timeout | undefined
  let slow: NodeJS.Timeout | undefined
  let watcher: FSWatcher | undefined

  const look = (): void => {
    settling = undefined
    const id = readId()
    if (id === known) return
    known = id
    onChange()
  }
  const goBlind = (error: Error): void => {
    watcher?.close()
    slow ??= setInterval(look, slowMs).unref()
    onBlind(error.message)
  }
  try {
    watcher = watch(directory, (_, name) => {
      // Much else changes there with every turn.
      if (name === null || files.includes(name)) settling ??= setTimeout(look, SETTLE_MS)
    })
    watcher.on('error', goBlind)
  } catch (error) {
    // The kernel gives each user so many watches only.
    goBlind(error as Error)
  }
  return {
    [Symbol.dispose]() {
      watcher?.close()
      clearTimeout(settling)
      clearInterval(slow)
    },
  }
}

/** How long people wait without asking themselves whether anything happens. */
const PATIENCE_MS = 1000

/** Waits for `work`; calls `say` once when that takes longer than a second. */
export async function waitPatiently<T>(work: Promise<T>, say: () => void): Promise<T> {
  const timer = setTimeout(say, PATIENCE_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}

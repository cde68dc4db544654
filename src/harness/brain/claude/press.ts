import { setTimeout as sleep } from 'node:timers/promises'

/** Takes one step after the other, each harder than the one before, until `done` resolves; waits `patienceMs` after each. */
export async function press(done: Promise<unknown>, steps: readonly (() => void)[], patienceMs: number): Promise<void> {
  const isDone = done.then(() => true)
  for (const step of steps) {
    step()
    if (await Promise.race([isDone, sleep(patienceMs, false, { ref: false })])) return
  }
}

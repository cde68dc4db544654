import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogLine } from '../containers/runtime.ts'
import { type HousekeepingDeps, housekeepingHandlers } from './host-housekeeping.ts'

const FOR_EVER = { signal: new AbortController().signal, connection: {} }

/** What `logs` answers when a container has written these lines. */
async function logsOf(written: readonly LogLine[]): Promise<LogLine[]> {
  const handlers = housekeepingHandlers({
    registry: { has: () => true, get: () => ({}) },
    runtime: {
      logs: () =>
        (async function* () {
          yield* written
        })(),
    },
  } as unknown as HousekeepingDeps)
  return (await handlers.logs({ unit: 'alice', lines: 5000 }, FOR_EVER)).lines
}

test('gives the newest lines of each stream, however long they become in JSON', async () => {
  const lines = (stream: LogLine['stream'], text: string) =>
    Array.from({ length: 1_000 }, (_, n) => ({ stream, text: `${text} ${n}` }))
  const noisy = lines('stdout', '\u0001'.repeat(1_000))
  const short = lines('stderr', 'short')
  const given = await logsOf([...noisy, ...short])
  const stdout = given.filter(({ stream }) => stream === 'stdout')
  assert.ok(stdout.length > 100 && stdout.length < 200, `${stdout.length} lines of 6 kB`)
  assert.deepEqual(given, [...noisy.slice(-stdout.length), ...short])
})

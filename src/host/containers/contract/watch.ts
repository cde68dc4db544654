import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ContainerEvent } from '../runtime.ts'
import { createSpec, DEPLOYMENT, FOREVER, launch, type MakeSubject } from './subject.ts'

export function testWatch(make: MakeSubject): void {
  describe('watch', () => {
    it('tells each start and end from the call on, and ends when it is told to', async () => {
      await using subject = await make()
      const before = await launch(subject, 'h-old', FOREVER)
      const stop = new AbortController()
      const events = subject.runtime.watch(stop.signal)
      const seen = take(events, 4)
      const { incarnation } = await launch(subject, 'h-a', FOREVER)
      await subject.runtime.kill('h-a')
      await subject.runtime.stop('h-old', { graceMs: 10_000 })
      const again = await subject.runtime.start('h-old')
      const oom = false
      const old = (await seen).filter(({ name }) => name === 'h-old')
      assert.deepEqual(
        (await seen).filter(({ name }) => name === 'h-a').map(({ type, incarnation }) => [type, incarnation]),
        [
          ['started', incarnation],
          ['exited', incarnation],
        ],
      )
      assert.deepEqual(old[0], {
        name: 'h-old',
        type: 'exited',
        incarnation: before.incarnation,
        exit: { code: null, signal: 'SIGTERM', oom },
      })
      assert.deepEqual(old[1], { name: 'h-old', type: 'started', incarnation: again.incarnation })
      stop.abort()
    })

    it('tells every watcher how one ended that nobody stopped', async () => {
      await using subject = await make()
      await subject.runtime.apply(createSpec(subject, 'h-a', 'exit 9'), DEPLOYMENT)
      const stop = new AbortController()
      const both = [take(subject.runtime.watch(stop.signal), 2), take(subject.runtime.watch(stop.signal), 2)]
      const { incarnation } = await subject.runtime.start('h-a')
      const exit = { code: 9, signal: null, oom: false }
      for (const events of await Promise.all(both)) {
        assert.deepEqual(events, [
          { name: 'h-a', type: 'started', incarnation },
          { name: 'h-a', type: 'exited', incarnation, exit },
        ])
      }
      stop.abort()
    })

    it('ends at once when its signal aborts', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const stop = new AbortController()
      const events = Array.fromAsync(subject.runtime.watch(stop.signal))
      stop.abort()
      assert.deepEqual(await events, [])
      assert.deepEqual(await Array.fromAsync(subject.runtime.watch(stop.signal)), [])
    })
  })
}

async function take(events: AsyncIterable<ContainerEvent>, count: number): Promise<ContainerEvent[]> {
  const seen: ContainerEvent[] = []
  for await (const event of events) if (seen.push(event) === count) break
  return seen
}

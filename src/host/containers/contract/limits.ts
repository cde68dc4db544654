import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Capabilities, FOREVER, launch, type MakeSubject, outputOf, statusOf, waitForExit } from './subject.ts'

const MIB = 1024 * 1024
/** `tail` keeps all of a stream without a newline in memory. */
const EAT = 'head -c 200000000 /dev/zero | tail -c 190000000 | wc -c'

export function testLimits(make: MakeSubject, { limits }: Capabilities): void {
  const unless = (limit: 'memory' | 'cpu' | 'pids') => ({
    skip: !limits.includes(limit) && `this runtime cannot limit ${limit} here`,
  })

  describe('limits', () => {
    it('are told by the probe as they are', async () => {
      await using subject = await make()
      assert.deepEqual([...(await subject.runtime.probe()).limits].sort(), [...limits].sort())
    })

    it('end a container that wants too much memory, and say so', unless('memory'), async () => {
      await using subject = await make()
      await launch(subject, 'h-a', 'eaten=$(tr "\\0" a < /dev/zero)', { limits: { memoryBytes: 32 * MIB } })
      const { exit } = await waitForExit(subject.runtime, 'h-a')
      assert.deepEqual(exit, { code: null, signal: 'SIGKILL', oom: true })
      await launch(subject, 'h-a', 'exit 1', { limits: { memoryBytes: 32 * MIB } })
      assert.deepEqual((await waitForExit(subject.runtime, 'h-a')).exit, { code: 1, signal: null, oom: false })
    })

    it('do not blame memory for an end that was well, nor bind the next life', unless('memory'), async () => {
      await using subject = await make()
      await launch(subject, 'h-a', `${EAT}; exit 0`, { limits: { memoryBytes: 32 * MIB } })
      assert.deepEqual((await waitForExit(subject.runtime, 'h-a')).exit, { code: 0, signal: null, oom: false })
      await launch(subject, 'h-a', EAT)
      await waitForExit(subject.runtime, 'h-a')
      assert.equal((await outputOf(subject.runtime, 'h-a')).at(-1), '190000000')
    })

    it('bind commands that are run inside too', unless('memory'), async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER, { limits: { memoryBytes: 32 * MIB } })
      assert.notEqual((await subject.runtime.exec('h-a', ['sh', '-c', EAT])).stdout, '190000000\n')
      assert.equal((await statusOf(subject.runtime, 'h-a'))?.state, 'running')
    })

    it('keep the number of processes down', unless('pids'), async () => {
      await using subject = await make()
      const forks = 'for i in $(seq 60); do sleep 1000 & done; echo all'
      await launch(subject, 'h-a', `(${forks}); echo end`, { limits: { pids: 20 } })
      await waitForExit(subject.runtime, 'h-a')
      assert.ok(!(await outputOf(subject.runtime, 'h-a')).includes('all'))
    })

    it('slow down one that wants too much of the processors', unless('cpu'), async () => {
      await using subject = await make()
      // Both burn for one second; their shares are compared, so that a busy machine does not matter.
      const burn = `exec timeout 1 sh -c 'trap "times; exit" TERM; while :; do :; done'`
      await launch(subject, 'h-slow', burn, { limits: { cpus: 0.1 } })
      await waitForExit(subject.runtime, 'h-slow')
      const [children] = (await outputOf(subject.runtime, 'h-slow')).slice(0, 1)
      const seconds = Number(/m([\d.]+)s/.exec(children ?? '')?.[1])
      assert.ok(seconds < 0.5, `it burnt ${seconds} s of one second`)
    })
  })
}

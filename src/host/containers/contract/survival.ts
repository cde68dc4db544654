import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { killDaemon, nextLine, spawnDaemon, startElsewhere } from './other-daemon.ts'
import { type Capabilities, createSpec, type MakeSubject, statusOf, waitForExit } from './subject.ts'

/** How many daemons are killed at some moment of a start. */
const KILLS = 12

export function testSurvival(make: MakeSubject, { outlivesDaemon }: Capabilities): void {
  const options = { skip: !outlivesDaemon && 'containers of this runtime live within the daemon' }

  describe('survival', options, () => {
    it('runs on when its daemon is killed, is adopted as the same life, and its exit code is known', async () => {
      await using subject = await make()
      const script = 'while [ ! -e "$STATE/go" ]; do echo beat; sleep 0.02; done; exit 42'
      const { daemon, incarnation } = await startElsewhere(subject, createSpec(subject, 'h-a', script))
      await killDaemon(daemon)

      const runtime = subject.reopen()
      const adopted = await statusOf(runtime, 'h-a')
      assert.deepEqual([adopted?.state, adopted?.incarnation], ['running', incarnation])
      assert.equal((await runtime.start('h-a')).incarnation, incarnation)
      assert.equal((await runtime.exec('h-a', ['echo', 'hi'])).stdout, 'hi\n')
      const ended = waitForExit(runtime, 'h-a')
      writeFileSync(join(subject.scratch, 'h-a/go'), '')
      assert.deepEqual((await ended).exit, { code: 42, signal: null, oom: false })
    })

    it('knows how one ended while no daemon was there', async () => {
      await using subject = await make()
      const spec = createSpec(
        subject,
        'h-a',
        'while [ ! -e "$STATE/go" ]; do sleep 0.02; done; touch "$STATE/bye"; exit 7',
      )
      const { daemon, incarnation } = await startElsewhere(subject, spec)
      await killDaemon(daemon)
      writeFileSync(join(subject.scratch, 'h-a/go'), '')
      while (!existsSync(join(subject.scratch, 'h-a/bye'))) await sleep(5)
      const status = await waitForExit(subject.reopen(), 'h-a')
      assert.deepEqual([status.incarnation, status.exit?.code], [incarnation, 7])
    })

    it('never runs twice, whenever in a start its daemon is killed', async () => {
      await using subject = await make()
      // Only the one that holds the lock goes on: a second one would leave its mark.
      const script = 'mkdir "$STATE/lock" 2>/dev/null || echo twice > "$STATE/twice"; exec sleep 1000'
      for (let kill = 0; kill < KILLS; kill++) {
        const spec = createSpec(subject, `h-${kill}`, script)
        const daemon = spawnDaemon(subject, spec)
        await nextLine(daemon, 'starting')
        await sleep((kill * 30) / KILLS)
        await killDaemon(daemon)
        const runtime = subject.reopen()
        await runtime.apply(spec, { reference: 'a', revision: 'b' })
        await runtime.start(spec.name)
        await runtime.exec(spec.name, ['sh', '-c', 'until [ -d /state/lock ]; do sleep 0.01; done'])
        await runtime.kill(spec.name)
        assert.throws(() => readFileSync(join(subject.scratch, spec.name, 'twice')), { code: 'ENOENT' }, `kill ${kill}`)
      }
    })
  })
}

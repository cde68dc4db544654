import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Capabilities,
  createSpec,
  DEAF,
  DEPLOYMENT,
  FOREVER,
  launch,
  type MakeSubject,
  statusOf,
  waitForExit,
  waitForLine,
} from './subject.ts'

export function testLifeCycle(make: MakeSubject, { isolates }: Capabilities): void {
  describe('life cycle', () => {
    it('says it works, before anything was started', async () => {
      await using subject = await make()
      const { ok, problems } = await subject.runtime.probe()
      assert.deepEqual({ ok, problems }, { ok: true, problems: [] })
      assert.deepEqual(await subject.runtime.list(), [])
    })

    it('lists an applied container as created, with the deployment it was given last', async () => {
      await using subject = await make()
      const spec = createSpec(subject, 'h-a', FOREVER)
      await subject.runtime.apply(spec, DEPLOYMENT)
      await subject.runtime.apply(spec, { ...DEPLOYMENT, reference: 'b' })
      assert.deepEqual(await subject.runtime.list(), [
        { name: 'h-a', state: 'created', deployment: { ...DEPLOYMENT, reference: 'b' } },
      ])
    })

    it('starts once: a second start finds the same life', async () => {
      await using subject = await make()
      const first = await launch(subject, 'h-a', 'echo x >> "$STATE/starts"; exec sleep 1000')
      const [second, third] = await Promise.all([subject.runtime.start('h-a'), subject.runtime.start('h-a')])
      assert.equal(first.state, 'running')
      assert.ok(first.startedAt !== undefined && first.incarnation)
      assert.deepEqual([second.incarnation, third.incarnation], [first.incarnation, first.incarnation])
      await subject.runtime.exec('h-a', ['true'])
      assert.equal(readFileSync(join(subject.scratch, 'h-a/starts'), 'utf8'), 'x\n')
    })

    it('stops with SIGTERM, twice without harm, and starts into a new life', async () => {
      await using subject = await make()
      const { incarnation } = await launch(subject, 'h-a', FOREVER)
      const exit = await subject.runtime.stop('h-a', { graceMs: 10_000 })
      assert.deepEqual(exit, { code: null, signal: 'SIGTERM', oom: false })
      assert.deepEqual(await subject.runtime.stop('h-a', { graceMs: 10_000 }), exit)
      assert.equal((await statusOf(subject.runtime, 'h-a'))?.state, 'stopped')
      const again = await subject.runtime.start('h-a')
      assert.equal(again.state, 'running')
      assert.notEqual(again.incarnation, incarnation)
      assert.equal(again.exit, undefined)
    })

    it('takes the exit code of one that ends when asked', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done')
      await waitForLine(subject.runtime, 'h-a', 'ready')
      assert.deepEqual(await subject.runtime.stop('h-a', { graceMs: 10_000 }), { code: 3, signal: null, oom: false })
    })

    it('kills one that does not end within its grace', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', DEAF)
      await waitForLine(subject.runtime, 'h-a', 'deaf')
      assert.equal((await subject.runtime.stop('h-a', { graceMs: 100 }))?.signal, 'SIGKILL')
    })

    it('kills at once, also while a stop is being patient', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', DEAF)
      await waitForLine(subject.runtime, 'h-a', 'deaf')
      const stopped = subject.runtime.stop('h-a', { graceMs: 600_000 })
      const exits = await Promise.all([subject.runtime.kill('h-a'), stopped])
      assert.deepEqual(
        exits.map((exit) => exit?.signal),
        ['SIGKILL', 'SIGKILL'],
      )
      assert.equal((await subject.runtime.kill('h-a'))?.signal, 'SIGKILL')
    })

    it('tells how one ended by itself', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', 'exit 7')
      await launch(subject, 'h-b', 'kill -KILL $$')
      await launch(subject, 'h-c', 'exit 0')
      const ends = await Promise.all(['h-a', 'h-b', 'h-c'].map((name) => waitForExit(subject.runtime, name)))
      assert.deepEqual(
        ends.map(({ state, exit }) => ({ state, exit })),
        [
          { state: 'stopped', exit: { code: 7, signal: null, oom: false } },
          { state: 'stopped', exit: { code: null, signal: 'SIGKILL', oom: false } },
          { state: 'stopped', exit: { code: 0, signal: null, oom: false } },
        ],
      )
    })

    it('uses a spec that was applied while it ran from the next start on', async () => {
      await using subject = await make()
      const { incarnation } = await launch(subject, 'h-a', FOREVER)
      await subject.runtime.apply(createSpec(subject, 'h-a', 'exit 4'), { ...DEPLOYMENT, reference: 'b' })
      const referenceNow = async () => (await statusOf(subject.runtime, 'h-a'))?.deployment.reference
      const running = await subject.runtime.start('h-a')
      assert.deepEqual([running.state, running.incarnation], ['running', incarnation])
      assert.deepEqual([running.deployment, await referenceNow()], [DEPLOYMENT, DEPLOYMENT.reference])
      assert.equal(running.app, 'app-1')
      await subject.runtime.kill('h-a')
      assert.equal(await referenceNow(), 'b')
      await subject.runtime.start('h-a')
      assert.equal((await waitForExit(subject.runtime, 'h-a')).exit?.code, 4)
    })

    it('removes a running one and forgets it, but leaves what was mounted', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', 'echo kept > "$STATE/note"; echo ready; exec sleep 1000')
      await waitForLine(subject.runtime, 'h-a', 'ready')
      await subject.runtime.remove('h-a')
      await subject.runtime.remove('h-a')
      assert.deepEqual(await subject.runtime.list(), [])
      assert.equal(readFileSync(join(subject.scratch, 'h-a/note'), 'utf8'), 'kept\n')
      await assert.rejects(Array.fromAsync(subject.runtime.logs('h-a', {})), { code: 'not_found' })
    })

    it('knows nothing of a container that was never applied', async () => {
      await using subject = await make()
      await assert.rejects(subject.runtime.start('h-none'), { code: 'not_found' })
      assert.equal(await subject.runtime.stop('h-none', { graceMs: 0 }), undefined)
      assert.equal(await subject.runtime.kill('h-none'), undefined)
      await subject.runtime.remove('h-none')
    })

    it('says which mount has no source', async () => {
      await using subject = await make()
      const host = join(subject.scratch, 'absent')
      const spec = createSpec(subject, 'h-a', FOREVER, { mounts: [{ host, guest: '/x', readOnly: true }] })
      await subject.runtime.apply(spec, DEPLOYMENT)
      await assert.rejects(subject.runtime.start('h-a'), (error: Error) => error.message.includes(host))
      assert.equal((await statusOf(subject.runtime, 'h-a'))?.state, 'created')
    })

    it('says why the program of a container cannot be run, and can start it once it is there', async () => {
      await using subject = await make()
      const spec = createSpec(subject, 'h-a', FOREVER)
      await subject.runtime.apply({ ...spec, argv: ['/no/such/program'] }, DEPLOYMENT)
      await assert.rejects(subject.runtime.start('h-a'), (error: Error) => error.message.includes('/no/such/program'))
      assert.notEqual((await statusOf(subject.runtime, 'h-a'))?.state, 'running')
      await subject.runtime.apply(spec, DEPLOYMENT)
      assert.equal((await subject.runtime.start('h-a')).state, 'running')
    })

    it('mounts in order: what is mounted below another mount is seen there', async () => {
      await using subject = await make()
      const outer = join(subject.scratch, 'outer')
      const inner = createSpec(subject, 'inner', '').mounts[0]?.host as string
      writeFileSync(join(inner, 'file'), 'inner\n')
      createSpec(subject, 'outer', '')
      const mounts = [
        { host: outer, guest: '/state/outer', readOnly: false },
        { host: inner, guest: '/state/outer/inner', readOnly: true },
      ]
      await launch(subject, 'h-a', 'cat "$INNER/file"; exec sleep 1000', {
        mounts,
        env: { INNER: '/state/outer/inner' },
      })
      assert.equal(await waitForLine(subject.runtime, 'h-a', 'inner'), 'inner')
      assert.ok(existsSync(join(inner, 'file')))
    })

    it('leaves nothing of the tree: a grandchild in a session of its own ends with it', {
      skip: !isolates,
    }, async () => {
      await using subject = await make()
      const beat = 'setsid sh -c "while :; do date +%s%N > $STATE/beat; sleep 0.02; done" & echo ready;'
      for (const [name, ending] of [
        ['h-a', 'exec sleep 1000'],
        ['h-b', 'while [ ! -e "$STATE/go" ]; do sleep 0.02; done; exit 0'],
      ] as const) {
        await launch(subject, name, `${beat} ${ending}`)
        await waitForLine(subject.runtime, name, 'ready')
        if (name === 'h-a') await subject.runtime.kill(name)
        else {
          const ended = waitForExit(subject.runtime, name)
          writeFileSync(join(subject.scratch, name, 'go'), '')
          assert.equal((await ended).exit?.code, 0)
        }
        const file = join(subject.scratch, name, 'beat')
        const last = existsSync(file) ? readFileSync(file, 'utf8') : ''
        await new Promise((resolve) => setTimeout(resolve, 100))
        assert.equal(existsSync(file) ? readFileSync(file, 'utf8') : '', last)
      }
    })
  })
}

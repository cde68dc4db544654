import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { type Capabilities, createSpec, DEPLOYMENT, FOREVER, launch, type MakeSubject } from './subject.ts'

export function testExec(make: MakeSubject, { isolates }: Capabilities): void {
  describe('exec', () => {
    it('gives code, stdout and stderr, and passes arguments as they are', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const odd = ['a b', '$HOME', '"', "'", '', '*', '\n', '--']
      const result = await subject.runtime.exec('h-a', [
        'sh',
        '-c',
        'printf "[%s]" "$@"; echo no >&2; exit 3',
        'sh',
        ...odd,
      ])
      assert.deepEqual(result, { code: 3, stdout: odd.map((arg) => `[${arg}]`).join(''), stderr: 'no\n' })
    })

    it('feeds stdin from text or a stream, and none is empty', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const cat = async (stdin?: string | Readable) => (await subject.runtime.exec('h-a', ['cat'], { stdin })).stdout
      assert.equal(await cat('hello'), 'hello')
      assert.equal(await cat(Readable.from(['one', 'two'])), 'onetwo')
      assert.equal(await cat(), '')
    })

    it('ends although nobody ends its stdin, or reads all of it', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      assert.equal((await subject.runtime.exec('h-a', ['true'], { stdin: new PassThrough() })).code, 0)
      assert.equal((await subject.runtime.exec('h-a', ['true'], { stdin: 'x'.repeat(1_000_000) })).code, 0)
    })

    it('cuts output at its cap and lets the command end', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const script = 'head -c 3000000 /dev/zero | tr "\\0" a; head -c 10 /dev/zero >&2; exit 5'
      const { code, stdout, stderr } = await subject.runtime.exec('h-a', ['sh', '-c', script], { maxBytes: 1000 })
      assert.deepEqual([code, stdout.length, stderr.length], [5, 1000, 10])
    })

    it('ends a command at its time limit, with what it started', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const script = 'sleep 1000 & echo $! > "$0/sleeper"; wait'
      const state = isolates ? '/state' : (createSpec(subject, 'h-a', '').mounts[0]?.host as string)
      await assert.rejects(subject.runtime.exec('h-a', ['sh', '-c', script, state], { timeoutMs: 300 }), {
        code: 'timeout',
      })
      const look = `kill -0 $(cat ${state}/sleeper) 2>/dev/null && echo lives || echo gone`
      // The kernel takes a moment to bury the dead.
      const wait = `for i in $(seq 100); do [ "$(${look})" = gone ] && break; sleep 0.05; done; ${look}`
      assert.equal((await subject.runtime.exec('h-a', ['sh', '-c', wait])).stdout, 'gone\n')
    })

    it('does not wait for what a command left behind with its output open', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const { stdout } = await subject.runtime.exec('h-a', ['sh', '-c', 'sleep 30 & echo done'], {
        timeoutMs: 60_000,
      })
      assert.equal(stdout, 'done\n')
    })

    it('says by its code that a command was killed or is not there', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      assert.equal((await subject.runtime.exec('h-a', ['sh', '-c', 'kill -KILL $$'])).code, 137)
      const missing = await subject.runtime.exec('h-a', ['/no/such/program'])
      assert.equal(missing.code, 127)
      assert.match(missing.stderr, /no\/such\/program/)
    })

    it('enters a container that shares the host’s network', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER, { network: 'host' })
      assert.deepEqual(await subject.runtime.exec('h-a', ['echo', 'hi']), { code: 0, stdout: 'hi\n', stderr: '' })
    })

    it('enters a life as it was started, whatever was applied since then', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const spec = createSpec(subject, 'h-a', FOREVER)
      await subject.runtime.apply({ ...spec, uid: subject.uidOf(1), network: 'host' }, DEPLOYMENT)
      assert.deepEqual(await subject.runtime.exec('h-a', ['echo', 'hi']), { code: 0, stdout: 'hi\n', stderr: '' })
    })

    it('is refused when the container is down', async () => {
      await using subject = await make()
      await subject.runtime.apply(createSpec(subject, 'h-a', FOREVER), DEPLOYMENT)
      await assert.rejects(subject.runtime.exec('h-a', ['true']), { code: 'conflict' })
      await subject.runtime.start('h-a')
      await subject.runtime.kill('h-a')
      await assert.rejects(subject.runtime.exec('h-a', ['true']), { code: 'conflict' })
      await assert.rejects(subject.runtime.exec('h-none', ['true']), { code: 'not_found' })
    })
  })
}

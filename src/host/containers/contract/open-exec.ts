import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import type { OpenExec } from '../runtime.ts'
import { killDaemon, nextLine, spawnDaemon } from './other-daemon.ts'
import {
  type Capabilities,
  createSpec,
  DEPLOYMENT,
  FOREVER,
  launch,
  type MakeSubject,
  type Subject,
} from './subject.ts'

/** Starts what nothing but a sweep ends: its own session, no parent, deaf to a hangup. It tells its pid. */
const LEAVE_BEHIND = `trap '' HUP TERM; setsid sh -c 'echo $$; exec sleep 1000' &`

export function testOpenExec(make: MakeSubject, { confines, outlivesDaemon, limits }: Capabilities): void {
  // Not by `kill -0`, for which one that nobody buries yet is there.
  const looksAlive = (pid: string) => `grep -qs '^State:.[^ZX]' /proc/${pid}/status`
  const isThere = async ({ runtime }: Subject, pid: string) =>
    (await runtime.exec('h-a', ['sh', '-c', looksAlive(pid)])).code === 0

  describe('openExec', () => {
    it('talks with a command while it runs, and gives its code', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const argv = ['sh', '-c', 'while read -r word; do echo "<$word>"; echo "[$0]" >&2; done; exit 7', '$a b']
      await using running = await subject.runtime.openExec('h-a', argv)
      for (const word of ['one', 'two']) {
        running.stdin.write(`${word}\n`)
        assert.equal(await nextText(running, 'stdout'), `<${word}>\n`)
        assert.equal(await nextText(running, 'stderr'), '[$a b]\n')
      }
      running.stdin.end()
      assert.equal(await running.ended, 7)
    })

    it('ends with all that it started, whatever that ignores, and leaves the rest alone', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      await using other = await subject.runtime.openExec('h-a', ['sh', '-c', 'echo $$; exec sleep 1000'])
      const otherPid = (await nextText(other, 'stdout')).trim()
      const running = await subject.runtime.openExec('h-a', ['sh', '-c', `${LEAVE_BEHIND} sleep 1000`])
      const pid = (await nextText(running, 'stdout')).trim()
      assert.ok(await isThere(subject, pid))
      await running[Symbol.asyncDispose]()
      assert.equal(await running.ended, 137)
      assert.deepEqual([await isThere(subject, pid), await isThere(subject, otherPid)], [false, true])
    })

    it('is disposed of what a command left that has ended by itself', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const running = await subject.runtime.openExec('h-a', ['sh', '-c', LEAVE_BEHIND])
      const pid = (await nextText(running, 'stdout')).trim()
      assert.equal(await running.ended, 0)
      assert.ok(await isThere(subject, pid))
      await running[Symbol.asyncDispose]()
      assert.ok(!(await isThere(subject, pid)))
    })

    it('ends with its container', async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      await using running = await subject.runtime.openExec('h-a', ['sh', '-c', 'echo in; exec sleep 1000'])
      await nextText(running, 'stdout')
      await subject.runtime.kill('h-a')
      assert.equal(await running.ended, 137)
    })

    it('ends with the process that began it', {
      skip: !outlivesDaemon && 'containers of this runtime live within the daemon',
    }, async () => {
      await using subject = await make()
      const daemon = spawnDaemon(subject, createSpec(subject, 'h-a', FOREVER))
      const pid = await nextLine(daemon, 'open exec: ')
      assert.ok(await isThere(subject, pid))
      await killDaemon(daemon)
      const script = `while ${looksAlive(pid)}; do sleep 0.02; done`
      assert.equal((await subject.runtime.exec('h-a', ['sh', '-c', script])).code, 0)
    })

    it('runs as exec does: without capabilities, descriptors or environment of the daemon', {
      skip: !confines && 'this runtime does not confine its payloads so',
    }, async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER)
      const look = [
        'grep -E "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Uid):" /proc/self/status',
        `tr '\\0' '\\n' < /proc/$$/environ | cut -d= -f1 | grep -v ^HIVE_EXEC$`,
        'echo $(ls /proc/self/fd)',
        'cat /proc/self/cgroup',
      ]
      const script = ['sh', '-c', look.join('; ')]
      await using running = await subject.runtime.openExec('h-a', script)
      assert.equal((await running.stdout.toArray()).join(''), (await subject.runtime.exec('h-a', script)).stdout)
    })

    it('counts within the limits of the container', {
      skip: !limits.includes('pids') && 'this runtime cannot limit pids here',
    }, async () => {
      await using subject = await make()
      await launch(subject, 'h-a', FOREVER, { limits: { pids: 20 } })
      const forks = 'for i in $(seq 60); do sleep 1000 & done; echo all'
      await using running = await subject.runtime.openExec('h-a', ['sh', '-c', forks])
      assert.notEqual(await running.ended, 0)
    })

    it('is refused when the container is down', async () => {
      await using subject = await make()
      await subject.runtime.apply(createSpec(subject, 'h-a', FOREVER), DEPLOYMENT)
      await assert.rejects(subject.runtime.openExec('h-a', ['true']), { code: 'conflict' })
      await assert.rejects(subject.runtime.openExec('h-none', ['true']), { code: 'not_found' })
    })
  })
}

/** What comes next on a stream of it. */
async function nextText(running: OpenExec, stream: 'stdout' | 'stderr'): Promise<string> {
  const [chunk] = await once(running[stream], 'data')
  return String(chunk)
}

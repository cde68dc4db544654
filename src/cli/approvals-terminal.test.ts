import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { approvalOf, BASE, diffOf, SHA } from './fake-approvals.ts'
import { FakeHive } from './fake-hive.ts'
import { ENV, runOnTerminal, runPiped, startHive } from './process-in-test.ts'

/** The commands of approvals as processes, on real terminals. */
describe('approvals on a terminal', () => {
  const RED = '\x1b[31m'
  /** A program in a directory of its own, so that PATH can have it first. */
  const install = (directory: string, name: string, script: string): string => {
    const path = join(directory, name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }

  test('show goes through the pager of the operator, in colour', async () => {
    await using hive = await FakeHive.open()
    hive.approvals.put(approvalOf(1))
    install(hive.runDir, 'pager', 'echo "paged $LESS $1"; cat')
    const PATH = `${hive.runDir}:${ENV.PATH}`
    for (const [PAGER, said] of [
      ['pager -x', 'paged FRX -x'],
      [`pager "a b" | sed 's/paged/piped/'`, 'piped FRX a b'],
    ] as const) {
      const { code, out } = await runOnTerminal(hive.runDir, ['show', '1'], { env: { PATH, PAGER } })
      assert.equal(code, 0)
      assert.ok(out.startsWith(`${said}\n`), out)
      assert.ok(out.includes(`${RED}-  "model": "haiku"`), out)
    }
    const plain = await runOnTerminal(hive.runDir, ['show', '1'], { env: { PATH, PAGER: 'pager', NO_COLOR: '1' } })
    assert.ok(plain.out.includes('-  "model": "haiku"') && !plain.out.includes('\x1b['), plain.out)
  })

  test('delta is the pager where there is one and PAGER says nothing', async () => {
    await using hive = await FakeHive.open()
    hive.approvals.put(approvalOf(1))
    install(hive.runDir, 'delta', 'echo delta; cat')
    const env = { PATH: `${hive.runDir}:${ENV.PATH}` }
    assert.match((await runOnTerminal(hive.runDir, ['show', '1'], { env })).out, /^delta\n/)
    assert.match((await runOnTerminal(hive.runDir, ['show', '1'], { env: { ...env, PAGER: 'cat' } })).out, /^approval/)
  })

  test('a pager that cannot be had, or is left early, takes nothing away', async () => {
    await using hive = await FakeHive.open()
    const text = `@@ -0,0 +1,20000 @@\n${'+a line of the diff\n'.repeat(20_000)}`
    hive.approvals.put(approvalOf(1), { diff: diffOf({ text }) })
    for (const PAGER of ['/nonexistent/pager', 'nonexistent-pager "x"']) {
      const { code, out } = await runOnTerminal(hive.runDir, ['show', '1'], { env: { PAGER, NO_COLOR: '1' } })
      assert.deepEqual([code, out.includes('approval  1\n'), out.includes('hive deny 1')], [0, true, true])
    }
    const { code, out } = await runOnTerminal(hive.runDir, ['show', '1'], { env: { PAGER: 'head -n 1' } })
    assert.deepEqual([code, out.split('\n').length], [0, 2])
  })

  test('no pager in a pipe, nor for JSON', async () => {
    await using hive = await FakeHive.open()
    hive.approvals.put(approvalOf(1))
    const env = { PAGER: 'false' }
    assert.match((await runPiped(hive.runDir, ['show', '1'], env)).out, /^approval {2}1\n/)
    assert.match((await runOnTerminal(hive.runDir, ['show', '1', '--json'], { env })).out, /^\{\n {2}"approval"/)
  })

  test('approve asks, and sends what was shown', async () => {
    await using hive = await FakeHive.open()
    hive.approvals.put(approvalOf(1))
    const approve = (answer: string) =>
      runOnTerminal(hive.runDir, ['approve', '1', '--no-wait'], { typed: ['[y/N]', answer] })
    for (const answer of ['\n', '\x04', '\x03']) {
      assert.equal((await approve(answer)).code, 130)
      assert.equal(hive.approvals.get(1).state, 'pending')
    }
    const { code, out } = await approve('y\n')
    assert.equal(code, 0)
    assert.ok(out.includes(`${RED}-  "model": "haiku"`), out)
    assert.deepEqual(
      hive.calls.filter(([op]) => op === 'approve').map(([, input]) => input),
      [{ id: 1, base: BASE, sha: SHA }],
    )
  })

  test('Ctrl-C while a deploy is waited for ends the waiting only', async () => {
    await using hive = await FakeHive.open()
    hive.approvals.put(approvalOf(1))
    const child = startHive(hive.runDir, ['approve', '1', '-y'])
    let err = ''
    const exited = new Promise((resolve) => child.once('close', (...how) => resolve(how)))
    child.stderr.on('data', (chunk) => {
      const wasQueued = err.includes('queued')
      err += chunk
      if (!wasQueued && err.includes('queued')) child.kill('SIGINT')
    })
    assert.deepEqual(await exited, [130, null])
    assert.match(err, /hive: the deploy goes on without you: hive show 1 tells how it ends\n$/)
    assert.equal(hive.approvals.get(1).state, 'approved')
  })

  test('a secret is asked for and does not show', async () => {
    await using hive = await FakeHive.open()
    const set = (answer: string) =>
      runOnTerminal(hive.runDir, ['secret', 'set', 'github'], { typed: ['(not shown): ', answer] })
    const { code, out } = await set('s3cret\r')
    assert.equal(code, 0)
    assert.equal(hive.approvals.secrets.get('github'), 's3cret')
    assert.equal(
      out,
      'Value of github (not shown): \ngithub is kept; agents that use it have it from their next start on\n',
    )
    for (const [answer, exit] of [
      ['\x03', 130],
      ['\x04', 130],
      ['\r', 2],
    ] as const) {
      assert.equal((await set(answer)).code, exit)
    }
    assert.equal(hive.approvals.secrets.get('github'), 's3cret')
  })
})

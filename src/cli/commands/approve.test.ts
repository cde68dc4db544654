import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HiveError } from '../../wire/errors.ts'
import { approvalOf, BASE, diffOf, SHA } from '../fake-approvals.ts'
import { agentOf, FakeHive } from '../fake-hive.ts'
import { createTestIo, runHive } from '../run-in-test.ts'

const OTHER = '0123456789abcdef0123456789abcdef01234567'

async function prepare() {
  process.env.TZ = 'UTC'
  const hive = await FakeHive.open()
  const run = (args: string[], io = createTestIo()) => runHive([...args, '--run-dir', hive.runDir], { io })
  return {
    hive,
    run,
    /** The same on a terminal, with what is typed there. */
    typing: (args: string[], stdin: string) => run(args, createTestIo({ isTTY: true, stdin })),
    approvedWith: () => hive.calls.filter(([op]) => op === 'approve').map(([, input]) => input),
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  }
}

describe('hive approve: what is approved', () => {
  test('exactly the base and the commit that were shown', async () => {
    await using started = await prepare()
    const { hive, run, approvedWith } = started
    hive.approvals.put(approvalOf(1))
    const { code, out, err } = await run(['approve', '1', '-y', '--no-wait'])
    assert.deepEqual([code, out, err], [0, 'approval 1 is approved: hive show 1\n', ''])
    assert.deepEqual(approvedWith(), [{ id: 1, base: BASE, sha: SHA }])
    assert.equal(hive.approvals.get(1).state, 'approved')
  })

  test('a request without a commit', async () => {
    await using started = await prepare()
    const { hive, run, approvedWith } = started
    for (const [id, kind] of [
      [1, 'spawn'],
      [2, 'init_config'],
    ] as const) {
      hive.approvals.put(approvalOf(id, { kind, sha: null, base: null }))
      assert.equal((await run(['approve', String(id), '-y', '--no-wait'])).code, 0)
      assert.deepEqual(approvedWith().at(-1), { id, base: null, sha: null })
    }
  })

  test('only the commit that is named', async () => {
    await using started = await prepare()
    const { hive, run, approvedWith } = started
    hive.approvals.put(approvalOf(1))
    hive.approvals.put(approvalOf(2, { kind: 'spawn', sha: null, base: null }))
    for (const [args, problem] of [
      [['1', '--sha', OTHER], `approval 1 is of commit ${SHA}, not ${OTHER}`],
      [['1', '--sha', '0123456'], `approval 1 is of commit ${SHA}, not 0123456`],
      [['2', '--sha', OTHER], `approval 2 has no commit, not ${OTHER}`],
    ] as const) {
      const { code, out, err } = await run(['approve', ...args, '-y', '--no-wait'])
      assert.deepEqual([code, out], [5, ''])
      assert.ok(err.startsWith(`hive: ${problem}\n`), err)
    }
    for (const sha of ['5ade01', 'HEAD', '--upload-pack=x', SHA.toUpperCase(), `${SHA}0`]) {
      assert.equal((await run(['approve', '1', '--sha', sha, '-y', '--no-wait'])).code, 2, sha)
    }
    assert.deepEqual(approvedWith(), [])
    assert.equal((await run(['approve', '1', '--sha', SHA.slice(0, 7), '-y', '--no-wait'])).code, 0)
    hive.approvals.put(approvalOf(3))
    assert.equal((await run(['approve', '3', '--sha', SHA, '-y', '--no-wait'])).code, 0)
  })

  test('nothing that has a problem, is cut or is decided', async () => {
    await using started = await prepare()
    const { hive, run, typing, approvedWith } = started
    hive.approvals.put(approvalOf(1), { problem: 'the secret \x1b[1mgithub is not set' })
    hive.approvals.put(approvalOf(2), { diff: diffOf({ truncated: 'it has 900 KiB' }) })
    hive.approvals.put(approvalOf(3, { state: 'denied' }))
    for (const [id, problem] of [
      [1, 'approval 1 cannot be approved: the secret \\x1b[1mgithub is not set'],
      [2, 'approval 2 cannot be approved: its diff is not complete: it has 900 KiB'],
      [3, 'approval 3 is denied'],
    ] as const) {
      for (const { code, out, err } of [
        await run(['approve', String(id), '-y', '--no-wait', '--sha', SHA]),
        await typing(['approve', String(id), '--no-wait'], 'y\n'),
      ]) {
        assert.deepEqual([code, out], [5, ''])
        assert.ok(err.startsWith(`hive: ${problem}\n`), err)
      }
    }
    assert.equal((await run(['approve', '99', '-y'])).code, 3)
    assert.deepEqual(approvedWith(), [])
  })

  test('nothing stale that nobody has looked at', async () => {
    await using started = await prepare()
    const { hive, run, typing, approvedWith } = started
    const stale = approvalOf(1, { state: 'stale', base: OTHER })
    hive.approvals.put(stale)
    const refused =
      'hive: what runs has changed since approval 1 was shown, and nobody has seen it since\n' +
      '  look at hive show 1, then: hive approve 1 --sha 5ade01234567\n'
    for (const _ of ['first', 'second']) {
      assert.deepEqual(await run(['approve', '1', '-y', '--no-wait']), { code: 5, out: '', err: refused })
    }
    assert.equal((await run(['approve', '1', '-y', '--no-wait', '--sha', OTHER])).code, 5)
    // Being asked for in vain is not being seen.
    assert.equal(hive.approvals.get(1).state, 'stale')
    assert.deepEqual(approvedWith(), [])
    for (const [id, approve] of [
      [2, () => run(['approve', '2', '-y', '--no-wait', '--sha', SHA])],
      [3, () => typing(['approve', '3', '--no-wait'], 'y\n')],
    ] as const) {
      hive.approvals.put({ ...stale, id })
      assert.equal((await approve()).code, 0)
      assert.deepEqual(approvedWith().at(-1), { id, base: BASE, sha: SHA })
    }
  })

  test('nothing whose base moved between two looks', async () => {
    await using started = await prepare()
    const { hive, run, approvedWith } = started
    hive.approvals.put(approvalOf(1, { base: OTHER }))
    const held = Promise.withResolvers<void>()
    hive.holds.set('show', held.promise)
    const done = run(['approve', '1', '-y', '--no-wait'])
    while (!hive.calls.some(([op]) => op === 'show')) await new Promise((resolve) => setImmediate(resolve))
    hive.approvals.put(approvalOf(1))
    held.resolve()
    assert.equal((await done).code, 5)
    assert.deepEqual(approvedWith(), [])
  })

  test('the base and the commit of the diff, should the approval claim others', async () => {
    await using started = await prepare()
    const { hive, run, approvedWith } = started
    hive.approvals.put(approvalOf(1, { base: OTHER }))
    assert.equal((await run(['approve', '1', '-y', '--no-wait'])).code, 5)
    assert.deepEqual(approvedWith(), [{ id: 1, base: BASE, sha: SHA }])
  })

  test('one that is not in the list only by its commit', async () => {
    await using started = await prepare()
    const { hive, run, approvedWith } = started
    for (let id = 1; id <= 1001; id += 1) hive.approvals.put(approvalOf(id))
    assert.equal((await run(['approve', '1', '-y', '--no-wait'])).code, 5)
    assert.equal((await run(['approve', '1', '-y', '--no-wait', '--sha', OTHER])).code, 5)
    assert.deepEqual(approvedWith(), [])
    assert.equal((await run(['approve', '1', '-y', '--no-wait', '--sha', SHA])).code, 0)
  })

  test('a conflict that the daemon finds is one here', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1))
    hive.failures.set('approve', new HiveError('conflict', 'main has moved', { hint: 'hive show 1' }))
    const { code, err } = await run(['approve', '1', '-y', '--no-wait', '--json'])
    assert.equal(code, 5)
    assert.deepEqual(JSON.parse(err), { error: { code: 'conflict', message: 'main has moved', hint: 'hive show 1' } })
  })
})

describe('hive approve: the question', () => {
  test('without a terminal nobody is asked, and nothing is marked as seen', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1))
    const { code, out, err } = await run(['approve', '1', '--no-wait'])
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, /no terminal to ask on\n {2}look at hive show 1, and pass --yes\n$/)
    assert.deepEqual(hive.calls, [])
  })

  test('shows what it is about, and takes nothing but a yes', async () => {
    await using started = await prepare()
    const { hive, typing, approvedWith } = started
    hive.approvals.put(approvalOf(1))
    for (const typed of ['\n', 'n\n', 'yeah\n', '']) {
      const { code, out, err } = await typing(['approve', '1', '--no-wait'], typed)
      assert.deepEqual([code, out], [130, ''], typed)
      assert.match(err, /^approval {2}1\nagent {5}alice\n/)
      assert.match(err, /\n {4}more tools\n {4}second line\n/)
      assert.match(err, /\n agent\.json {2}\+1 {2}−1 {2}modified\n/)
      assert.match(err, /\n- {2}"model": "haiku"\n\+ {2}"model": "opus"\n/)
      assert.match(err, /Approve\? \[y\/N\] hive: nothing was approved\n$/)
    }
    assert.deepEqual(approvedWith(), [])
    assert.equal((await typing(['approve', '1', '--no-wait'], 'yes\n')).code, 0)
    assert.deepEqual(approvedWith(), [{ id: 1, base: BASE, sha: SHA }])
  })

  test('a long diff is not pushed through it', async () => {
    await using started = await prepare()
    const { hive, typing } = started
    const text = `@@ -0,0 +1,60 @@\n${'+line\n'.repeat(60)}`
    hive.approvals.put(approvalOf(1), { diff: diffOf({ text }) })
    const { err } = await typing(['approve', '1', '--no-wait'], 'n\n')
    assert.match(err, /\nits diff has 63 lines: hive show 1\n/)
    assert.doesNotMatch(err, /\+line/)
  })

  test('says that a stale one has changed', async () => {
    await using started = await prepare()
    const { hive, typing } = started
    hive.approvals.put(approvalOf(1, { state: 'stale', base: OTHER }))
    assert.match(
      (await typing(['approve', '1', '--no-wait'], 'n\n')).err,
      /\nwhat runs has changed since this was shown last\n/,
    )
  })
})

describe('hive approve: the deploy', () => {
  test('shows the log as it grows, and ends with the tag', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1))
    const io = createTestIo()
    const done = run(['approve', '1', '-y'], io)
    await io.seen('hive: queued, number 1\n')
    hive.approvals.goOn(1, { step: 'building', position: null })
    hive.approvals.goOn(1, 'the build \x1b[2J begins')
    await io.seen('14:03:22  the build \\x1b[2J begins\n')
    for (const step of ['switching', 'checking']) hive.approvals.goOn(1, step)
    hive.approvals.goOn(1, 'it is healthy')
    hive.approvals.goOn(1, { state: 'deployed', step: 'done', endedAt: 1, tag: 'deployed/1' })
    const { code, out, err } = await done
    assert.deepEqual([code, out], [0, 'alice runs 5ade01234567: deployed/1\n'])
    assert.equal(err.split('\n').filter((line) => line.includes('begins')).length, 1)
    assert.match(err, /14:03:25 {2}it is healthy\n$/)
  })

  test('what else can be approved says what came of it', async () => {
    await using started = await prepare()
    const { hive, run } = started
    for (const [id, kind, said] of [
      [1, 'spawn', 'alice is there\n'],
      [2, 'init_config', 'alice has a configuration that the manager can write\n'],
    ] as const) {
      hive.approvals.put(approvalOf(id, { kind, sha: null, base: null }))
      const io = createTestIo()
      const done = run(['approve', String(id), '-y'], io)
      await io.seen('queued')
      hive.approvals.goOn(id, { state: 'deployed', endedAt: 1, position: null })
      const { code, out } = await done
      assert.deepEqual([code, out], [0, said])
    }
  })

  test('a failed one is 1, with the note, what runs now and its log', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.agents.set('alice', agentOf('alice', { sha: BASE }))
    hive.approvals.put(approvalOf(1))
    const io = createTestIo()
    const done = run(['approve', '1', '-y'], io)
    await io.seen('queued')
    hive.approvals.goOn(1, 'no hello for 60 s')
    hive.approvals.goOn(1, {
      state: 'failed',
      endedAt: 1,
      note: 'not healthy:\x07 no hello',
      tag: 'failed/1',
      position: null,
    })
    const { code, out, err } = await done
    assert.deepEqual([code, out], [1, ''])
    assert.equal(
      err.slice(err.indexOf('14:03:22')),
      '14:03:22  no hello for 60 s\n' +
        'hive: approval 1 failed: not healthy:\\x07 no hello\n' +
        '  rolled back: alice runs ba5eba5eba5e, idle\n' +
        '  hive show 1 has all of its log\n',
    )
  })

  test('a failed spawn leaves nothing that runs', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1, { kind: 'spawn', agent: 'bob', sha: null, base: null }))
    const io = createTestIo()
    const done = run(['approve', '1', '-y'], io)
    await io.seen('queued')
    hive.approvals.goOn(1, { state: 'failed', endedAt: 1, note: 'no sandbox', position: null })
    const { code, err } = await done
    assert.equal(code, 1)
    assert.match(err, /hive: approval 1 failed: no sandbox\n {2}bob does not run\n/)
  })

  test('as JSON it is the approval as it ended, and nothing else', async () => {
    await using started = await prepare()
    const { hive, run } = started
    for (const [id, state, exit] of [
      [1, 'deployed', 0],
      [2, 'failed', 1],
    ] as const) {
      hive.approvals.put(approvalOf(id))
      const done = run(['approve', String(id), '-y', '--json'])
      while (!hive.calls.some(([op, input]) => op === 'deploy_log' && (input as { id: number }).id === id)) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      hive.approvals.goOn(id, 'a line')
      hive.approvals.goOn(id, { state, endedAt: 1, tag: `${state}/${id}`, position: null })
      const { code, out, err } = await done
      assert.deepEqual([code, err], [exit, ''])
      assert.deepEqual(JSON.parse(out), hive.approvals.get(id))
    }
    hive.approvals.put(approvalOf(3))
    const { out } = await run(['approve', '3', '-y', '--json', '--no-wait'])
    assert.equal(JSON.parse(out).state, 'approved')
  })

  test('Ctrl-C leaves it going on, and says so', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1))
    const io = createTestIo()
    const done = run(['approve', '1', '-y'], io)
    await io.seen('queued')
    io.signal('SIGINT')
    assert.match(io.written.err, /\nhive: the deploy goes on without you: hive show 1 tells how it ends\n$/)
    assert.deepEqual(io.exits, [130])
    assert.equal(hive.approvals.get(1).state, 'approved')
    // In a test the command outlives its exit.
    hive.approvals.goOn(1, { state: 'deployed', endedAt: 1, tag: 'deployed/1' })
    assert.equal((await done).code, 130)
  })

  test('is waited for through a restart of the daemon', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1))
    const io = createTestIo()
    const done = run(['approve', '1', '-y'], io)
    hive.approvals.goOn(1, 'first')
    await io.seen('first')
    await hive.stop()
    await io.seen('hive: the daemon is away')
    await hive.start()
    hive.approvals.goOn(1, 'second')
    hive.approvals.goOn(1, { state: 'deployed', endedAt: 1, tag: 'deployed/1' })
    const { code, out, err } = await done
    assert.deepEqual([code, out], [0, 'alice runs 5ade01234567: deployed/1\n'])
    assert.match(err, /first\n(.|\n)*hive: the daemon is back\n(.|\n)*second\n/)
    assert.equal(err.split('first').length, 2, 'said once')
  })
})

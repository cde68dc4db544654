import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { approvalOf, BASE, diffOf, SHA } from './fake-approvals.ts'
import { FakeHive, SENT_AT } from './fake-hive.ts'
import { createTestIo, runHive } from './run-in-test.ts'

async function prepare() {
  process.env.TZ = 'UTC'
  const hive = await FakeHive.open()
  const run = (args: string[], io = createTestIo()) => runHive([...args, '--run-dir', hive.runDir], { io })
  return {
    hive,
    run,
    json: async (args: string[]) => {
      const { code, out } = await run([...args, '--json'])
      assert.equal(code, 0)
      return JSON.parse(out)
    },
    /** On a terminal, with what is typed there. */
    typing: (args: string[], stdin: string) => run(args, createTestIo({ isTTY: true, stdin })),
    inputs: (op: string) => hive.calls.filter(([name]) => name === op).map(([, input]) => input),
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  }
}

test('request-spawn: queues a request, with its reason', async () => {
  await using started = await prepare()
  const { hive, run, json, inputs } = started
  assert.deepEqual(await run(['request-spawn', 'bob', '-m', 'to test']), {
    code: 0,
    out: 'approval 1 waits for a decision: hive approve 1\n',
    err: '',
  })
  assert.deepEqual(inputs('request_spawn'), [{ name: 'bob', reason: 'to test' }])
  assert.equal((await run(['request-spawn', 'carol', '-q'])).out, '2\n')
  assert.deepEqual(await json(['request-spawn', 'dave']), hive.approvals.get(3))
  assert.equal((await run(['request-spawn', 'Bad!'])).code, 2)
})

describe('pending', () => {
  test('columns, numbers, rows', async () => {
    await using started = await prepare()
    const { hive, run, json } = started
    const description = 'more \x1b]0;pwned\x07tools\nsecond'
    hive.approvals.put(approvalOf(1, { description }))
    hive.approvals.put(approvalOf(2, { state: 'stale', agent: 'manager', description: null }))
    const asked = { kind: 'spawn', sha: null, base: null, agent: 'bob', requester: 'operator' } as const
    hive.approvals.put(approvalOf(3, { ...asked, state: 'approved', step: 'rolling_back' }))
    hive.approvals.put(approvalOf(4, { ...asked, state: 'approved', step: 'queued', position: 2 }))
    hive.approvals.put(approvalOf(5, { state: 'failed', note: 'no hello' }))
    assert.deepEqual(await run(['pending']), {
      code: 0,
      err: '',
      out: `\
ID  AGENT    KIND          STATE         AGE  SHA           WHAT
1   alice    apply_commit  pending       1m   5ade01234567  more \\x1b]0;pwned\\x07tools…
2   manager  apply_commit  stale         1m   5ade01234567
3   bob      spawn         rolling back  1m   -             more tools…
4   bob      spawn         queued #2     1m   -             more tools…
`,
    })
    assert.equal((await run(['pending', '-q'])).out, '1\n2\n3\n4\n')
    assert.equal((await run(['pending', '--all', '-q', '--agent', 'alice'])).out, '1\n5\n')
    assert.equal((await run(['pending', '--all', '-q', '-n', '2'])).out, '4\n5\n')
    const rows = await json(['pending'])
    assert.deepEqual(rows[0], approvalOf(1, { description }))
    assert.deepEqual(
      rows.map(({ id, agent, kind, state, sha, base }: Record<string, unknown>) => [id, agent, kind, state, sha, base]),
      [
        [1, 'alice', 'apply_commit', 'pending', SHA, BASE],
        [2, 'manager', 'apply_commit', 'stale', SHA, BASE],
        [3, 'bob', 'spawn', 'approved', null, null],
        [4, 'bob', 'spawn', 'approved', null, null],
      ],
    )
  })

  test('says when there is nothing, and what next', async () => {
    await using started = await prepare()
    const { run, json } = started
    assert.match((await run(['pending'])).out, /^nothing waits for a decision; hive pending --all /)
    assert.match((await run(['pending', '--all'])).out, /^nothing was asked for yet; .*hive request-spawn <name>\n$/)
    assert.deepEqual(await json(['pending']), [])
    assert.equal((await run(['pending', '-q'])).out, '')
  })

  test('a row that cannot be read is said on stderr', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.errors.push({ table: 'approvals', id: '3', problem: 'bad\x1b state' })
    const said = 'hive: warning: row 3 of approvals cannot be read: bad\\x1b state\n'
    for (const command of ['pending', 'audit']) assert.equal((await run([command, '--json'])).err, said)
  })
})

describe('show', () => {
  test('who asks for what, the files, the diff, the next step', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1))
    const { code, out, err } = await run(['show', '1'])
    assert.deepEqual([code, err], [0, ''])
    assert.equal(
      out,
      `\
approval  1
agent     alice
kind      apply_commit
state     pending
asked     by manager, 2026-11-21 14:03:22, 1m ago
commit    ${SHA}
base      ${BASE} (what runs)
author    manager <manager@hive>, 2026-11-21 14:03:22

    more tools
    second line

    use the big model

    It thinks more.

 agent.json  +1  −1  modified

${diffOf().text}
hive approve 1 --sha 5ade01234567
hive deny 1 -m '<why>'
`,
    )
  })

  test('nothing of an agent reaches the terminal as it is, or passes for the hive’s', async () => {
    await using started = await prepare()
    const { hive, run } = started
    const evil = '\x1b]52;c;cHduZWQ=\x07\u202e\r'
    const files = [{ path: `"${evil}"`, change: 'added' as const, added: 1, removed: 0, remarks: [`mode${evil}`] }]
    const text = `diff --git a/${evil} b/x\n@@ -0,0 +1 @@\n+${evil}\n`
    hive.approvals.put(
      approvalOf(1, { description: `${evil}\nstate     deployed`, requester: `m${evil}`, note: `n${evil}\nx` }),
      {
        diff: diffOf({ files, text, truncated: `t${evil}` }),
        commit: { author: evil, at: SENT_AT, message: `${evil}\n+++ b/x` },
        problem: `p${evil}`,
      },
    )
    hive.approvals.goOn(1, `log${evil}`)
    const { out } = await run(['show', '1'])
    assert.doesNotMatch(out, /(?!\n)\p{Cc}|\p{Cf}/u)
    for (const said of ['by m\\x1b]52', '"\\x1b]52', 'mode\\x1b]52', '+\\x1b]52', 'log\\x1b]52', 'problem   p\\x1b']) {
      assert.ok(out.includes(said), said)
    }
    assert.equal(out.match(/^state {5}/gm)?.length, 1)
    assert.match(out, /^ {4}\+\+\+ b\/x$/m)
    const { out: json } = await run(['show', '1', '--json'])
    assert.doesNotMatch(json, /(?!\n)\p{Cc}|\p{Cf}/u)
    assert.equal(JSON.parse(json).diff.text, text)
  })

  test('a diff that is cut says so twice, loudly', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1), { diff: diffOf({ truncated: 'it has 900 KiB' }) })
    const { out } = await run(['show', '1'])
    assert.equal(out.split('▌ THE DIFF IS NOT COMPLETE, so it cannot be approved: it has 900 KiB\n').length, 3)
    assert.doesNotMatch(out, /hive approve/)
  })

  test('a proposal that changes nothing, and one that has no diff', async () => {
    await using started = await prepare()
    const { hive, run } = started
    hive.approvals.put(approvalOf(1), { diff: diffOf({ files: [], text: '' }) })
    assert.match((await run(['show', '1'])).out, /\n\(proposal matches currently-deployed tree\)\n/)
    hive.approvals.put(approvalOf(2, { kind: 'spawn', sha: null, base: null, description: null }))
    assert.equal(
      (await run(['show', '2'])).out,
      `\
approval  2
agent     alice
kind      spawn
state     pending
asked     by manager, 2026-11-21 14:03:22, 1m ago

hive approve 2
hive deny 2 -m '<why>'
`,
    )
  })

  test('one that has ended has its log, as JSON too', async () => {
    await using started = await prepare()
    const { hive, run, json } = started
    const ended = { decidedAt: SENT_AT + 1000, endedAt: SENT_AT + 3000, note: 'no hello', tag: 'failed/1' }
    hive.approvals.put(approvalOf(1, { state: 'failed', ...ended }))
    for (const line of ['building', 'switching', 'checking']) hive.approvals.goOn(1, line)
    const { out } = await run(['show', '1'])
    assert.match(out, /\nended {5}2026-11-21 14:03:25\ntag {7}failed\/1\nnote {6}no hello\n/)
    assert.match(out, /\n14:03:22 {2}building\n14:03:23 {2}switching\n14:03:24 {2}checking\n/)
    assert.doesNotMatch(out, /hive approve/)
    const shown = await json(['show', '1'])
    assert.deepEqual(Object.keys(shown), ['approval', 'diff', 'commit', 'problem', 'log'])
    assert.deepEqual(shown.approval, hive.approvals.get(1))
    assert.deepEqual(shown.log[0], { n: 1, at: SENT_AT, text: 'building' })
    assert.equal(shown.log.length, 3)
  })

  test('what is not there is 3', async () => {
    await using started = await prepare()
    assert.equal((await started.run(['show', '7'])).code, 3)
    assert.equal((await started.run(['show', 'x'])).code, 2)
  })
})

describe('deny', () => {
  test('with a reason, or an empty one', async () => {
    await using started = await prepare()
    const { hive, run, json, inputs } = started
    for (const id of [1, 2, 3]) hive.approvals.put(approvalOf(id))
    assert.deepEqual(await run(['deny', '1', '-m', 'too much']), { code: 0, out: 'approval 1 is denied\n', err: '' })
    assert.equal((await run(['deny', '2', '-m', ''])).code, 0)
    assert.deepEqual(inputs('deny'), [
      { id: 1, reason: 'too much' },
      { id: 2, reason: '' },
    ])
    assert.deepEqual(await json(['deny', '3', '-m', 'no']), hive.approvals.get(3))
    assert.equal((await run(['deny', '3', '-m', 'no'])).code, 5)
    assert.equal((await run(['deny', '9', '-m', 'no'])).code, 3)
  })

  test('the reason is asked for on a terminal only', async () => {
    await using started = await prepare()
    const { hive, run, typing, inputs } = started
    hive.approvals.put(approvalOf(1))
    const { code, err } = await run(['deny', '1'])
    assert.equal(code, 2)
    assert.match(err, /no terminal to ask on\n {2}pass -m '<why>', or -m '' for no reason\n$/)
    const left = await typing(['deny', '1'], '')
    assert.deepEqual([left.code, left.err], [130, 'Why? The manager is told: hive: nothing was denied\n'])
    assert.deepEqual(inputs('deny'), [])
    assert.equal((await typing(['deny', '1'], 'too much\n')).code, 0)
    assert.deepEqual(inputs('deny'), [{ id: 1, reason: 'too much' }])
  })
})

test('deploys: columns, tags, rows, and what next when there are none', async () => {
  await using started = await prepare()
  const { hive, run, json } = started
  assert.equal((await run(['deploys'])).out, 'nothing was deployed yet; hive pending shows what waits\n')
  const deploy = { agent: 'alice', sha: SHA, at: SENT_AT }
  hive.approvals.deploys.push(
    { ...deploy, approval: null, tag: 'deployed/0', state: 'deployed', tookMs: null, note: null },
    { ...deploy, approval: 2, tag: 'failed/2', state: 'failed', tookMs: 61_234, note: 'no\x1b hello\nmore' },
    { ...deploy, agent: 'bob', approval: 3, tag: 'deployed/3', state: 'deployed', tookMs: 812, note: null },
  )
  assert.equal(
    (await run(['deploys'])).out,
    `\
WHEN                 AGENT  APPROVAL  SHA           STATE     TOOK   TAG         NOTE
2026-11-21 14:03:22  alice  -         5ade01234567  deployed  -      deployed/0
2026-11-21 14:03:22  alice  2         5ade01234567  failed    61.2s  failed/2    no\\x1b hello…
2026-11-21 14:03:22  bob    3         5ade01234567  deployed  0.8s   deployed/3
`,
  )
  assert.equal((await run(['deploys', '-q', '--agent', 'alice', '-n', '1'])).out, 'failed/2\n')
  assert.deepEqual(await json(['deploys']), hive.approvals.deploys)
})

test('audit: columns, numbers, rows, and what next when there are none', async () => {
  await using started = await prepare()
  const { hive, run, json } = started
  assert.match((await run(['audit'])).out, /^nothing is written down yet; /)
  const entry = { at: SENT_AT, agent: 'alice', approval: 2 }
  hive.approvals.audit.push(
    { ...entry, id: 1, actor: 'manager', verb: 'request_apply_commit', detail: { why: 'a\x1b\u202eb' } },
    { ...entry, id: 2, actor: 'operator', verb: 'approve', detail: {} },
    { ...entry, id: 3, actor: 'system', verb: 'start', agent: null, approval: null, detail: {} },
  )
  assert.equal(
    (await run(['audit'])).out,
    `\
ID  WHEN                 WHO       DID                   AGENT  APPROVAL  DETAIL
1   2026-11-21 14:03:22  manager   request_apply_commit  alice  2         {"why":"a\\u001b\\u202eb"}
2   2026-11-21 14:03:22  operator  approve               alice  2
3   2026-11-21 14:03:22  system    start                 -      -
`,
  )
  assert.equal((await run(['audit', '-q', '--agent', 'alice', '--approval', '2', '-n', '1'])).out, '2\n')
  assert.deepEqual(await json(['audit']), hive.approvals.audit)
})

describe('secret', () => {
  test('its value comes from stdin, to the letter but for the last line end', async () => {
    await using started = await prepare()
    const { hive, run, json } = started
    const set = (stdin: string) => run(['secret', 'set', 'github'], createTestIo({ stdin }))
    const said = 'github is kept; agents that use it have it from their next start on\n'
    for (const [stdin, value] of [
      ['s3cret\n', 's3cret'],
      ['s3cret', 's3cret'],
      [' two\nlines\n\n', ' two\nlines\n'],
    ] as const) {
      assert.deepEqual(await set(stdin), { code: 0, out: said, err: '' })
      assert.equal(hive.approvals.secrets.get('github'), value)
    }
    assert.deepEqual(await json(['secret', 'list']), [{ name: 'github', setAt: SENT_AT }])
    assert.match((await run(['secret', 'list'])).out, /^NAME +SET\ngithub +2026-11-21 14:03:22\n$/)
    assert.equal((await run(['secret', 'list', '-q'])).out, 'github\n')
  })

  test('never from argv, never empty, and only under a name that can be used', async () => {
    await using started = await prepare()
    const { hive, run } = started
    assert.equal((await run(['secret', 'set', 'github', 's3cret'])).code, 2)
    const empty = await run(['secret', 'set', 'github'], createTestIo({ stdin: '\n' }))
    assert.deepEqual([empty.code, empty.err.split('\n')[0]], [2, 'hive: the value is empty'])
    const bad = await run(['secret', 'set', 'GITHUB'], createTestIo({ stdin: 'x' }))
    assert.deepEqual([bad.code, bad.err.startsWith('hive: GITHUB is no name of a secret')], [2, true])
    assert.deepEqual(hive.calls, [])
    assert.equal((await run(['secret'])).code, 2)
  })

  test('is forgotten', async () => {
    await using started = await prepare()
    const { hive, run, json } = started
    hive.approvals.secrets.set('github', 'x').set('other', 'x')
    assert.deepEqual(await run(['secret', 'remove', 'github']), { code: 0, out: 'github is forgotten\n', err: '' })
    assert.equal((await run(['secret', 'remove', 'github'])).code, 3)
    assert.deepEqual(await json(['secret', 'remove', 'other']), { name: 'other' })
    assert.match((await run(['secret', 'list'])).out, /^no secrets are kept; hive secret set <name>/)
  })
})

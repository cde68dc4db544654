import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { approvalOf } from './fake-approvals.ts'
import { agentOf, FakeHive, messageOf, SENT_AT } from './fake-hive.ts'
import { createTestIo, runHive } from './run-in-test.ts'

describe('the command line of a hive that runs', () => {
  let hive: FakeHive
  before(async () => {
    process.env.TZ = 'UTC'
    hive = await FakeHive.open()
    const turn = { messages: [7, 8], since: SENT_AT + 60_000 }
    const sha = '0123456789abcdef0123456789abcdef01234567'
    hive.agents.set('bob', agentOf('bob', { state: 'thinking', turn, unread: 12, model: 'opus\x1b[31m', sha }))
    const parked = { reason: 'quota' as const, detail: 'five\u202e hours', since: SENT_AT, until: SENT_AT + 3_665_000 }
    hive.agents.set('carol', agentOf('carol', { state: 'parked', parked, portTakenBy: 'dave' }))
    hive.put(messageOf(1, { state: 'done', doneAt: SENT_AT + 2000, error: 'cancelled', attempt: 1 }))
    const hostile = 'first\x1b]0;pwned\x07 \u202eline\nsecond'
    hive.put(messageOf(2, { from: 'alice', to: 'bob', body: hostile, state: 'leased', attempt: 2, failures: 1 }))
    hive.needs.push(
      {
        kind: 'dead_letter',
        key: 'dead_letter',
        link: '/',
        since: SENT_AT,
        message: messageOf(9, { state: 'dead', error: 'crash', from: 'bob', to: 'alice' }),
        actions: ['hive requeue 9', 'hive drop 9'],
      },
      {
        kind: 'paused_chain',
        key: 'paused_chain',
        link: '/',
        since: SENT_AT,
        rootId: 5,
        hops: 17,
        reason: 'too many hops',
        agents: ['alice', 'bob'],
        actions: ['hive allow 5'],
      },
      {
        kind: 'login',
        key: 'login',
        link: '/',
        since: SENT_AT,
        agent: 'alice',
        detail: 'no \x1b login',
        actions: ['hive unpark alice'],
      },
      {
        kind: 'approval',
        key: 'approval',
        link: '/',
        since: SENT_AT,
        approval: approvalOf(4, { agent: 'bob', description: 'more \x1b[1mtools\nand so on' }),
        actions: ['hive show 4'],
      },
      {
        kind: 'undecodable',
        key: 'undecodable',
        link: '/',
        since: 0,
        row: { table: 'messages', id: '3', problem: 'bad state' },
        actions: [],
      },
    )
  })
  after(() => hive[Symbol.asyncDispose]())
  const run = (args: string[], io = createTestIo()) => runHive([...args, '--run-dir', hive.runDir], { io })
  const json = async (args: string[]) => {
    const { code, out } = await run([...args, '--json'])
    assert.equal(code, 0)
    return JSON.parse(out)
  }
  /** The inputs of the calls of an operation since the last look. */
  const calls = (op: string) => {
    const found = hive.calls.filter(([name]) => name === op).map(([, input]) => input)
    hive.calls.length = 0
    return found
  }

  test('list: columns, names, rows', async () => {
    assert.deepEqual(await run(['list']), {
      code: 0,
      err: '',
      out: `\
NAME     ROLE     STATE     AGE  TURN     MODEL         UNREAD  SHA           TODAY
manager  manager  idle      1m   -        haiku         0       -             -
alice    agent    idle      1m   -        haiku         0       -             -
bob      agent    thinking  1m   #7+1 5s  opus\\x1b[31m  12      0123456789ab  -
carol    agent    parked    1m   -        haiku         0       -             -
`,
    })
    assert.equal((await run(['list', '-q'])).out, 'manager\nalice\nbob\ncarol\n')
    assert.deepEqual(await json(['list']), [...hive.agents.values()])
  })

  test('status: what it is, its agents, what is wrong', async () => {
    assert.equal(
      (await run(['status'])).out,
      `\
model     DEMO: a scripted model answers, nothing is sent to Anthropic
hive      0.1.0, pid 4242, up 1m, bubblewrap
state     /var/lib/hyperhive
slots     1 of 4 in use
messages  1 queued, 0 in turn, 2 done, 0 dead

AGENT    STATE     AGE  TURN     MODEL         CTX  UNREAD  SHA           TODAY  NOTE
manager  idle      1m   -        haiku         -    0       -             -      -
alice    idle      1m   -        haiku         -    0       -             -      -
bob      thinking  1m   #7+1 5s  opus\\x1b[31m  -    12      0123456789ab  -      -
carol    parked    1m   -        haiku         -    0       -             -      quota: five\\u202e hours, goes on in 1h; no port of its own: dave has it

5 things wait for you: hive needs
`,
    )
    const { agents, startedAt, ...status } = await json(['status'])
    assert.deepEqual(agents, [...hive.agents.values()])
    assert.equal(startedAt, SENT_AT)
    assert.deepEqual(status, {
      version: '0.1.0',
      revision: 'abc',
      pid: 4242,
      stateDir: '/var/lib/hyperhive',
      runDir: hive.runDir,
      runtime: 'bubblewrap',
      model: 'demo',
      network: 'none',
      terminal: false,
      slots: { used: 1, total: 4 },
      messages: { queued: 1, leased: 0, done: 2, dead: 0 },
      needs: 5,
      stopped: null,
      errors: [],
    })
  })

  test('messages: columns, numbers, rows, filters', async () => {
    assert.equal(
      (await run(['messages'])).out,
      `\
ID  AGE  FROM      TO       STATE      TRY  BODY
1   1m   operator  manager  cancelled  1    body of 1
2   1m   alice     bob      in turn    2    first\\x1b]0;pwned\\x07 \\u202eline…
`,
    )
    assert.equal((await run(['messages', '-q'])).out, '1\n2\n')
    hive.calls.length = 0
    const rows = await json(['messages', '--agent', 'hm1nd', '--state', 'done', '-n', '1'])
    assert.deepEqual(
      rows.map((row: { id: number }) => row.id),
      [1],
    )
    assert.deepEqual(calls('messages'), [{ agent: 'manager', state: 'done', limit: 1, wait_seconds: 0 }])
  })

  test('messages: a row that cannot be read is said on stderr', async () => {
    hive.errors.push({ table: 'messages', id: '3', problem: 'bad\x1b state' })
    const { code, err } = await run(['messages', '--json'])
    assert.deepEqual([code, err], [0, 'hive: warning: row 3 of messages cannot be read: bad\\x1b state\n'])
    hive.errors.length = 0
  })

  test('message: everything about one', async () => {
    assert.equal(
      (await run(['message', '2'])).out,
      `\
message  #2
from     alice
to       bob
state    in turn, attempt 2, 1 failure
sent     2026-11-21 14:03:22

first\\x1b]0;pwned\\x07 \\u202eline
second
`,
    )
    const { id, from, to, body, state, attempt, failures } = await json(['message', '2'])
    assert.deepEqual([id, from, to, state, attempt, failures], [2, 'alice', 'bob', 'leased', 2, 1])
    assert.equal(body, 'first\x1b]0;pwned\x07 \u202eline\nsecond')
  })

  test('send: text, stdin, numbers', async () => {
    hive.calls.length = 0
    assert.equal(
      (await run(['send', 'manager', 'hello', '--reply-to', '2', '--key', 'k'])).out,
      '#3 queued for manager\n',
    )
    assert.deepEqual(calls('send'), [{ to: 'manager', body: 'hello', reply_to: 2, key: 'k' }])
    const io = createTestIo({ stdin: 'line\n- second\n' })
    assert.equal((await run(['send', 'alice', '-', '-q'], io)).out, '4\n')
    assert.equal((calls('send')[0] as { body: string }).body, 'line\n- second')
    assert.deepEqual(await json(['send', 'hm1nd', 'x']), { id: 5, ids: [5] })
    hive.calls.length = 0
    assert.equal((await run(['send', '*', 'all'])).out, '#6 #7 queued for every agent\n')
    assert.deepEqual(
      calls('send').map((input) => (input as { to: string }).to),
      ['*'],
    )
    assert.deepEqual(await json(['send', '*', 'all']), { id: 8, ids: [8, 9] })
    assert.equal((await run(['send', '*', 'all', '-q'])).out, '10\n11\n')
  })

  test('spawn: the agent, its warnings on stderr', async () => {
    assert.deepEqual(await run(['spawn', 'dave']), {
      code: 0,
      out: 'dave runs in h-dave, idle, with haiku\n',
      err: 'hive: warning: its port is taken by bob\n',
    })
    hive.agents.delete('dave')
    const spawned = await json(['spawn', 'dave'])
    assert.deepEqual([spawned.agent.name, spawned.warnings.length], ['dave', 1])
    hive.agents.delete('dave')
  })

  test('people on a terminal are told that the model is scripted, scripts are not', async () => {
    const said = 'hive: DEMO: a scripted model answers\n'
    const onTerminal = () => createTestIo({ isTTY: true })
    for (const args of [['list'], ['messages'], ['tail', 'alice', '--no-follow'], ['needs']]) {
      assert.equal((await run(args, onTerminal())).err, said, args[0])
      assert.equal((await run([...args, '--json'], onTerminal())).err, '')
      assert.equal((await run(args)).err, '')
    }
    for (const args of [['list'], ['messages'], ['needs']]) {
      assert.equal((await run([...args, '-q'], onTerminal())).err, '')
    }
    hive.model = 'real'
    assert.equal((await run(['list'], onTerminal())).err, '')
    hive.model = 'demo'
  })

  test('status: the network of the host is said loudly', async () => {
    hive.network = 'host'
    assert.match((await run(['status'])).out, /\nnetwork +HOST: every agent has the network of this machine/)
    hive.network = 'none'
  })

  test('verbs: one or more agents, the manager by either name', async () => {
    hive.calls.length = 0
    assert.equal(
      (await run(['kill', 'alice', 'hm1nd', '--now'])).out,
      'alice stopped, until hive start\nmanager stopped, until hive start\n',
    )
    assert.deepEqual(calls('kill'), [
      { agent: 'alice', now: true },
      { agent: 'manager', now: true },
    ])
    for (const verb of ['start', 'kill', 'restart', 'unpark']) {
      assert.deepEqual(await json([verb, 'bob']), [hive.agents.get('bob')], verb)
    }
    hive.calls.length = 0
    assert.equal((await run(['restart', 'bob', '--now'])).out, 'bob restarted\n')
    assert.deepEqual(calls('restart'), [{ agent: 'bob', now: true }])
    for (const verb of ['cancel', 'compact', 'new-session']) {
      assert.deepEqual(await json([verb, 'bob']), [{ name: 'bob' }], verb)
      assert.match((await run([verb, 'bob'])).out, /^bob was told to /)
    }
  })

  test('pause, resume and the emergency stop', async () => {
    hive.calls.length = 0
    Object.assign(hive.also, {
      pause: () => ({}),
      resume: () => ({}),
      stop_all: () => ({ interrupted: 2 }),
      resume_all: () => ({}),
    })
    assert.equal(
      (await run(['pause', 'alice', 'bob', '-m', 'too eager'])).out,
      'alice paused, until hive resume\nbob paused, until hive resume\n',
    )
    assert.deepEqual(calls('pause'), [
      { agent: 'alice', now: false, reason: 'too eager' },
      { agent: 'bob', now: false, reason: 'too eager' },
    ])
    assert.equal((await run(['resume', 'alice'])).out, 'alice goes on\n')
    assert.match(
      (await run(['stop', '--all', '-m', 'fire'])).out,
      /^nothing is delivered to anybody until hive resume --all; 2 turns interrupted\n$/,
    )
    assert.deepEqual(await json(['stop', '--all']), { interrupted: 2 })
    assert.equal((await run(['resume', '--all'])).out, 'the emergency stop is over\n')
    for (const wrong of [['stop'], ['resume'], ['resume', '--all', 'alice']]) {
      const { code, err } = await run(wrong)
      assert.deepEqual([code, /say --all/.test(err)], [2, true], wrong.join(' '))
    }
    hive.stopped = { since: SENT_AT, reason: 'fire' }
    assert.match(
      (await run(['status'])).out,
      /^stopped +EMERGENCY STOP for 1m: fire: nothing is delivered, until hive resume --all\n/,
    )
    hive.stopped = null
  })

  test('verbs: what takes longer than a second is said on a terminal', async () => {
    for (const [args, what] of [
      [['kill', 'bob'], 'the turn of bob to end; --now interrupts it'],
      [['restart', 'bob', '--now'], 'bob to end'],
      [['start', 'bob'], 'the harness of bob to say hello'],
      [['spawn', 'dave'], 'the harness of dave to say hello'],
      [['destroy', 'dave', '-y'], 'the turn of dave to end; hive cancel dave interrupts it'],
    ] as const) {
      const held = Promise.withResolvers<void>()
      hive.holds.set(args[0], held.promise)
      const io = createTestIo({ isTTY: true })
      const done = run([...args], io)
      await io.seen(`hive: waiting for ${what}\n`)
      held.resolve()
      assert.equal((await done).code, 0)
    }
    hive.holds.clear()
  })

  test('verbs: what failed is said for each, what worked is done', async () => {
    const { code, out, err } = await run(['start', 'nobody', 'alice', 'noone'])
    assert.equal(code, 3)
    assert.equal(out, 'alice started\n')
    assert.equal(err, 'hive: no agent nobody\n  hive list shows them\nhive: no agent noone\n  hive list shows them\n')
  })

  test('destroy: asks on a terminal only', async () => {
    const refused = await run(['destroy', 'alice'])
    assert.deepEqual([refused.code, refused.out], [2, ''])
    assert.match(refused.err, /no terminal.*\n {2}pass --yes\n/)
    assert.ok(hive.agents.has('alice'))
    const never = await run(['destroy', 'manager'], createTestIo({ isTTY: true }))
    assert.deepEqual(
      [never.code, never.out, never.err],
      [2, '', 'hive: manager cannot be destroyed: it is a reserved name\n'],
    )
    hive.calls.length = 0
    assert.equal((await run(['destroy', 'alice', '-y', '--purge'])).out, 'alice destroyed\n')
    assert.deepEqual(calls('destroy'), [{ agent: 'alice', purge: true }])
    assert.equal((await run(['destroy', 'alice', '-y'])).code, 3)
    hive.agents.set('alice', agentOf('alice'))
    assert.deepEqual(await json(['destroy', 'alice', '-y']), { name: 'alice' })
    hive.agents.set('alice', agentOf('alice'))
  })

  test('model: shows and sets', async () => {
    assert.equal((await run(['model', 'bob'])).out, 'haiku  (the default of the hive)\n')
    assert.equal((await run(['model', 'bob', 'opus'])).out, 'opus  (chosen by the operator)\n')
    hive.configured.set('alice', 'sonnet')
    assert.equal((await run(['model', 'alice'])).out, 'sonnet  (of its configuration)\n')
    assert.deepEqual(await json(['model', 'bob', 'default']), { model: 'haiku', source: 'default' })
  })

  test('logs: what the container wrote, made harmless', async () => {
    assert.equal((await run(['logs', 'bob'])).out, 'started\nbad \\x1b[2Jthing\n')
    assert.equal((await json(['logs', 'bob']))[1].stream, 'stderr')
  })

  test('tail: what an agent does, as rows', async () => {
    hive.putEvent('bob', { kind: 'note', level: 'info', text: 'no\x1bted' })
    assert.match((await run(['tail', 'bob'])).out, /• no\\x1bted\n$/)
    assert.deepEqual(await json(['tail', 'bob']), [
      {
        seq: 1,
        agent: 'bob',
        epoch: 1,
        n: 1,
        at: SENT_AT + 1000,
        event: { kind: 'note', level: 'info', text: 'no\x1bted' },
      },
    ])
  })

  test('needs: what waits, with what to do', async () => {
    assert.equal(
      (await run(['needs'])).out,
      `\
dead letter     1m    #9 bob → alice: crash: body of 9
                      hive requeue 9
                      hive drop 9
paused chain    1m    #5, 17 hops among alice, bob: too many hops
                      hive allow 5
login           1m    alice: no \\x1b login
                      hive unpark alice
approval        1m    4: manager proposes a change to bob: more \\x1b[1mtools…
                      hive show 4
unreadable row        row 3 of messages cannot be read: bad state
`,
    )
    assert.equal((await run(['needs', '-q'])).out, '9\n5\nalice\n4\n3\n')
    assert.deepEqual(await json(['needs']), hive.needs)
  })

  test('requeue, drop, allow', async () => {
    assert.equal((await run(['requeue', '1'])).out, '#1 will be delivered again\n')
    assert.deepEqual(await json(['requeue', '1']), (await json(['messages']))[0])
    assert.deepEqual(await json(['drop', '1']), (await json(['messages']))[0])
    hive.calls.length = 0
    assert.deepEqual(await json(['allow', '5', '--stop']), { root: 5, stopped: true })
    assert.deepEqual(calls('allow'), [{ root: 5, stop: true }])
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { agentOf, FakeHive, messageOf, SENT_AT } from './fake-hive.ts'
import { createTestIo, runHive } from './run-in-test.ts'

describe('the command line of a hive that runs', () => {
  let hive: FakeHive
  before(async () => {
    process.env.TZ = 'UTC'
    hive = await FakeHive.open()
    hive.agents.set(
      'bob',
      agentOf('bob', {
        state: 'thinking',
        turn: { messages: [7, 8], since: SENT_AT + 60_000 },
        unread: 12,
        model: 'opus\x1b[31m',
      }),
    )
    hive.put(messageOf(1))
    hive.put(
      messageOf(2, {
        from: 'alice',
        to: 'bob',
        body: 'first\x1b]0;pwned\x07 \u202eline\nsecond',
        state: 'leased',
        attempt: 1,
      }),
    )
  })
  after(() => hive[Symbol.asyncDispose]())
  const run = (args: string[], io = createTestIo()) => runHive([...args, '--run-dir', hive.runDir], { io })

  test('lists the agents in columns', async () => {
    assert.deepEqual(await run(['list']), {
      code: 0,
      err: '',
      out: `\
NAME     ROLE     STATE     AGE  TURN     MODEL         UNREAD
manager  manager  idle      1m   -        haiku         0
alice    agent    idle      1m   -        haiku         0
bob      agent    thinking  1m   #7+1 5s  opus\\x1b[31m  12
`,
    })
    assert.equal((await run(['list', '-q'])).out, 'manager\nalice\nbob\n')
    const rows = JSON.parse((await run(['list', '--json'])).out)
    assert.deepEqual(rows, [...hive.agents.values()])
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import type { hostOps } from '../wire/host-ops.ts'
import type { Tombstone } from '../wire/housekeeping.ts'
import type { Handlers } from '../wire/op.ts'
import { FakeHive, NOW } from './fake-hive.ts'
import { createTestIo, runHive } from './run-in-test.ts'
import { sizeText } from './size-text.ts'

describe('the commands that keep a hive in order', () => {
  let hive: FakeHive
  const tombstones: Tombstone[] = [
    { name: 'dave', destroyedAt: NOW - 3_600_000, bytes: 1_500_000, hasLogin: true },
    { name: 'erin', destroyedAt: null, bytes: null, hasLogin: false },
  ]
  before(async () => {
    hive = await FakeHive.open()
    answer({
      tombstones: () => ({ tombstones }),
      revive({ name }) {
        if (name !== 'dave') throw new HiveError('not_found', `there is nothing left of ${name}`)
        return {}
      },
      purge: () => ({}),
      backup: ({ directory }) => ({ directory, bytes: 3 * 1024 ** 3 }),
    })
  })
  after(() => hive[Symbol.asyncDispose]())
  const answer = (ops: Partial<Handlers<typeof hostOps>>) => Object.assign(hive.also, ops)
  const run = (args: string[], io = createTestIo()) => runHive([...args, '--run-dir', hive.runDir], { io })
  const inputOf = (op: string) => hive.calls.findLast(([name]) => name === op)?.[1]

  test('tombstones: what is left, its age and size', async () => {
    assert.deepEqual(await run(['tombstones']), {
      code: 0,
      err: '',
      out: 'NAME  AGE  SIZE     LOGIN\ndave  1h   1.4 MiB  kept\nerin  -    ?        -\n',
    })
    assert.equal((await run(['tombstones', '-q'])).out, 'dave\nerin\n')
    assert.deepEqual(JSON.parse((await run(['tombstones', '--json'])).out), tombstones)
  })

  test('revive brings one back, or says that there is nothing', async () => {
    assert.deepEqual(await run(['revive', 'dave']), { code: 0, err: '', out: 'dave is back\n' })
    assert.equal((await run(['revive', 'nobody'])).code, 3)
  })

  test('purge wants the name twice, and asks nobody without a terminal', async () => {
    hive.calls.length = 0
    const refused = await run(['purge', 'dave'])
    assert.equal(refused.code, 2)
    assert.match(refused.err, /pass --confirm dave/)
    assert.equal((await run(['purge', '../etc', '--confirm', '../etc'])).code, 2)
    const typed = createTestIo({ isTTY: true, stdin: 'dav\n' })
    assert.equal((await run(['purge', 'dave'], typed)).code, 130)
    assert.equal(inputOf('purge'), undefined, 'nothing was purged')
    assert.equal((await run(['purge', 'dave', '--confirm', 'dave'])).out, 'nothing is left of dave\n')
    assert.deepEqual(inputOf('purge'), { name: 'dave', confirm: 'dave' })
    assert.equal((await run(['purge', 'dave'], createTestIo({ isTTY: true, stdin: 'dave\n' }))).code, 0)
  })

  test('backup names the directory from where it was called', async () => {
    const { code, out } = await run(['backup', 'copies/today'])
    assert.deepEqual([code, out], [0, `${process.cwd()}/copies/today holds 3.0 GiB\n`])
    assert.deepEqual(inputOf('backup'), { directory: `${process.cwd()}/copies/today` })
  })

  test('notify test: how each sink took it; one that failed is a failure', async () => {
    answer({ notify_test: () => ({ sinks: [] }) })
    assert.match((await run(['notify', 'test'])).out, /names no sinks/)
    const sinks = [
      { sink: 'ntfy ntfy.sh', problem: null },
      { sink: 'webhook x.example', problem: 'it answered \u001b[2J 403' },
    ]
    answer({ notify_test: () => ({ sinks }) })
    const { code, out } = await run(['notify', 'test'])
    assert.equal(code, 1)
    assert.equal(out, 'ntfy ntfy.sh       took it\nwebhook x.example  it answered \\x1b[2J 403\n')
    assert.deepEqual(JSON.parse((await run(['notify', 'test', '--json'])).out), sinks)
  })
})

test('sizes for people', () => {
  assert.deepEqual([0, 1023, 1024, 150 * 1024, 5 * 1024 ** 4].map(sizeText), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '150 KiB',
    '5.0 TiB',
  ])
})

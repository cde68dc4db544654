import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import { agentOf, FakeHive } from './fake-hive.ts'
import { runHive } from './run-in-test.ts'

/** A hive of manager, alice and bob, of whom bob and the manager are on older programs; those in `ill` cannot be rebuilt. */
async function prepare(...ill: string[]) {
  const hive = await FakeHive.open()
  hive.agents.clear()
  for (const name of ['alice', 'bob', 'manager'])
    hive.agents.set(name, agentOf(name, { needsUpdate: name !== 'alice' }))
  const rebuild = ({ agent }: { agent: string }) => {
    if (!ill.includes(agent)) return {}
    throw new HiveError('timeout', `${agent} is as before: its engine was not ready`, { hint: `hive logs ${agent}` })
  }
  Object.assign(hive.also, { rebuild })
  return {
    run: (...args: string[]) => runHive(['rebuild', ...args, '--run-dir', hive.runDir]),
    rebuilt: () => hive.calls.flatMap(([op, input]) => (op === 'rebuild' ? [input] : [])),
    [Symbol.asyncDispose]: () => hive[Symbol.asyncDispose](),
  }
}

describe('hive rebuild', () => {
  test('rebuilds the named ones, or those on older programs, or all, the manager first', async () => {
    for (const [args, names, now] of [
      [['bob', 'hm1nd'], ['bob', 'manager'], false],
      [['--stale', '--now'], ['manager', 'bob'], true],
      [['--all'], ['manager', 'alice', 'bob'], false],
    ] as const) {
      await using hive = await prepare()
      const { code, out, err } = await hive.run(...args)
      assert.deepEqual([code, err, out], [0, '', names.map((name) => `${name} rebuilt\n`).join('')])
      assert.deepEqual(
        hive.rebuilt(),
        names.map((agent) => ({ agent, now })),
      )
    }
  })

  test('goes on after one that is not well, says why, and fails', async () => {
    await using hive = await prepare('manager')
    const { code, out, err } = await hive.run('--stale')
    assert.deepEqual([code, out], [1, 'bob rebuilt\n'])
    assert.equal(err, 'hive: manager is as before: its engine was not ready\n  hive logs manager\n')
    const rows = JSON.parse((await hive.run('--stale', '--json')).out)
    assert.deepEqual(
      rows.map(({ name }: { name: string }) => name),
      ['bob'],
    )
  })

  test('wants one choice', async () => {
    await using hive = await prepare()
    const none = await hive.run()
    assert.deepEqual([none.code, none.out], [2, ''])
    assert.match(none.err, /which agents\?\n {2}hive rebuild <agent…>, hive rebuild --stale/)
    assert.equal((await hive.run('bob', '--all')).code, 2)
    assert.deepEqual(hive.rebuilt(), [])
  })
})

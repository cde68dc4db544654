import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeHive } from './fake-hive.ts'
import { runHive } from './run-in-test.ts'

test('config: the text that runs, harmless on a terminal, and what to say where there is none', async () => {
  await using hive = await FakeHive.open()
  const run = (...args: string[]) => runHive(['config', 'alice', ...args, '--run-dir', hive.runDir])
  const answer = (config: { sha: string | null; text: string | null }) =>
    Object.assign(hive.also, { config: () => config })
  const config = { sha: '5ade'.repeat(10), text: '{\n  "model": "\x1b[2J"\n}\n' }
  answer(config)
  assert.deepEqual(await run(), { code: 0, err: '', out: '{\n  "model": "\\x1b[2J"\n}\n' })
  assert.deepEqual(JSON.parse((await run('--json')).out), config)
  assert.deepEqual(hive.calls.find(([name]) => name === 'config')?.[1], { agent: 'alice' })
  answer({ sha: config.sha, text: null })
  assert.match((await run()).out, /no agent\.json/)
  answer({ sha: null, text: null })
  assert.match((await run()).out, /nothing was deployed yet/)
})

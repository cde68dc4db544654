import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HiveError } from '../../wire/errors.ts'
import type { Permission } from '../../wire/permissions.ts'
import { openApprovalsInTest } from '../approvals/approvals-in-test.ts'
import { allowPattern, proposePattern } from './pattern-proposal.ts'

test('a pattern is added to those that are there; all else stays as it was', () => {
  const text = '{"model":"opus","bash":["git *"],"env":{"A":"1"}}'
  assert.equal(
    allowPattern(text, 'npm test *'),
    `${JSON.stringify({ model: 'opus', bash: ['git *', 'npm test *'], env: { A: '1' } }, null, 2)}\n`,
  )
  assert.equal(allowPattern('{"bash":[]}', 'make'), '{\n  "bash": [\n    "make"\n  ]\n}\n')
})

test('a pattern is not added where it changes nothing, or cannot stand', () => {
  for (const [text, pattern, code] of [
    [undefined, 'make', 'conflict'],
    ['{}', 'make', 'conflict'],
    ['{"bash":["make"]}', 'make', 'conflict'],
    ['{"bash":["npm *"]}', 'npm test *', 'conflict'],
    ['{"bash":[]}', 'a(b)', 'bad_input'],
    ['{"bash":[]}', 'a\nb', 'bad_input'],
  ] as const) {
    assert.throws(
      () => allowPattern(text, pattern),
      (error) => error instanceof HiveError && error.code === code,
    )
  }
})

test('a proposal keeps the other files, is the operator’s, and grants nothing by itself', async () => {
  await using hive = await openApprovalsInTest()
  const files = { 'agent.json': '{"bash":["git *"]}', 'tools/server.mjs': 'serve()', 'notes.txt': 'kept' }
  await hive.deploy(await hive.propose(files))
  const before = hive.main()
  const asked = { agent: 'alice', tool: 'Bash' } as Permission
  const deps = { ...hive, permissions: { get: () => asked } }
  const approval = await proposePattern(deps, { id: 3, pattern: 'make' })
  assert.deepEqual([approval.requester, approval.state, approval.base], ['operator', 'pending', before])
  assert.equal(hive.main(), before)
  const { diff, commit } = await hive.approvals.show(approval.id)
  assert.deepEqual(
    diff?.files.map(({ path, change }) => [path, change]),
    [['agent.json', 'modified']],
  )
  assert.equal(commit?.message.trim(), 'let Bash run "make"')
  assert.equal((await hive.deploy(approval)).state, 'deployed')
  assert.deepEqual(hive.deployments.get('alice').config.bash, ['git *', 'make'])
  const other = { ...deps, permissions: { get: () => ({ ...asked, tool: 'Write' }) } }
  await assert.rejects(proposePattern(other, { id: 3, pattern: 'make' }), { code: 'bad_input' })
})

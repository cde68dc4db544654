import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { MAX_PACK_BYTES, managerOps } from '../../wire/agent-ops.ts'
import { MAX_LINE_BYTES } from '../../wire/op.ts'
import { createHiveTools } from '../mcp/hive-tools.ts'
import { Git } from './git.ts'
import { keepRepositories } from './keep-repositories.ts'
import { proposalTools } from './proposal.ts'
import { makeRoom } from './test-room.ts'

/** A manager with an agent `alice`, and what the daemon got of its proposals. */
async function makeManager() {
  const room = makeRoom()
  const base = room.deploy('alice', 0, { 'agent.json': '{}', 'tool.js': 'first' })
  await keepRepositories(new Git(room.places), room.places)
  const taken: { agent: string; sha: string; pack: string; description?: string }[] = []
  const tools = createHiveTools(
    managerOps,
    async (op, input) => {
      assert.equal(op, 'request_apply_commit')
      const proposal = managerOps.request_apply_commit.input.parse(input)
      taken.push(proposal)
      return { id: taken.length, sha: proposal.sha, base }
    },
    { preparations: proposalTools(room.places) },
  )
  return {
    ...room,
    base,
    taken,
    propose: (commit_ref: string, agent = 'alice') =>
      tools.call(
        'request_apply_commit',
        { agent, commit_ref, description: 'for speed' },
        { signal: new AbortController().signal },
      ),
  }
}

describe('request_apply_commit', () => {
  test('brings the daemon a commit with all that it needs, and tells the model what is next', async () => {
    using manager = await makeManager()
    manager.commit('alice', { 'tool.js': 'second' })
    const sha = manager.commit('alice', { 'agent.json': '{"model":"opus"}' })
    const { text, isError } = await manager.propose('HEAD')
    assert.ok(!isError, text)
    assert.equal(
      text,
      `Approval 1: commit ${sha.slice(0, 12)} of alice (what runs: ${manager.base.slice(0, 12)}) waits for the operator.\n` +
        'The event approval_resolved tells you how it ends. To wait for it, end your turn.',
    )
    const [proposal] = manager.taken
    assert.deepEqual([proposal?.agent, proposal?.sha, proposal?.description], ['alice', sha, 'for speed'])
    assert.deepEqual(manager.take('alice', sha, proposal?.pack ?? ''), ['agent.json', 'tool.js'])
  })

  test('takes a branch, a tag or an abbreviation for the commit that it means', async () => {
    using manager = await makeManager()
    const sha = manager.commit('alice', { 'tool.js': 'second' })
    const clone = manager.clone('alice')
    manager.git(clone, 'branch', 'idea')
    manager.git(clone, 'tag', '--annotate', '--message', 'mine', 'mine')
    for (const ref of ['idea', 'mine', sha, sha.slice(0, 8), 'main']) await manager.propose(ref)
    assert.deepEqual(
      manager.taken.map((proposal) => proposal.sha),
      Array(5).fill(sha),
    )
  })

  test('says what of the work tree is left out', async () => {
    using manager = await makeManager()
    manager.commit('alice', { 'tool.js': 'second' })
    writeFileSync(join(manager.clone('alice'), 'agent.json'), 'changed')
    mkdirSync(join(manager.clone('alice'), 'new'))
    writeFileSync(join(manager.clone('alice'), 'new', 'a'), '')
    assert.match((await manager.propose('HEAD')).text, /^2 files are changed but not committed: not part of this/m)
    rmSync(join(manager.clone('alice'), 'new'), { recursive: true })
    assert.match((await manager.propose('HEAD')).text, /^1 file is changed but not committed: not part of this/m)
  })

  test('says when it would change nothing', async () => {
    using manager = await makeManager()
    const { text, isError } = await manager.propose('HEAD')
    assert.ok(!isError)
    assert.match(text, /^It is what runs: it changes nothing\.$/m)
    assert.deepEqual(manager.take('alice', manager.base, manager.taken[0]?.pack ?? ''), ['agent.json', 'tool.js'])
  })

  test('is refused when what runs has moved on, and goes through after the rebase', async () => {
    using manager = await makeManager()
    manager.commit('alice', { 'agent.json': '{"model":"opus"}' })
    manager.deploy('alice', 1, { 'tool.js': 'second' })
    const { text, isError } = await manager.propose('HEAD')
    assert.ok(isError)
    assert.match(text, /^bad_input: commit [0-9a-f]{12} is not based on what runs.*rebase applied\/main/)
    assert.equal(manager.taken.length, 0)

    manager.git(manager.clone('alice'), 'rebase', '--quiet', 'applied/main')
    const again = await manager.propose('HEAD')
    assert.ok(!again.isError, again.text)
    const [proposal] = manager.taken
    assert.deepEqual(manager.take('alice', proposal?.sha ?? '', proposal?.pack ?? ''), ['agent.json', 'tool.js'])
  })

  test('is refused when the agent was purged and made anew', async () => {
    using manager = await makeManager()
    manager.commit('alice', { 'tool.js': 'second' })
    manager.purge('alice')
    manager.deploy('alice', 0, { 'agent.json': '{"model":"haiku"}' })
    const { text } = await manager.propose('HEAD')
    assert.match(text, /^bad_input: .*made anew: git -C .*alice checkout -B main applied\/main/)
  })

  test('is refused for what is no commit, and runs nothing', async () => {
    using manager = await makeManager()
    for (const ref of [
      'nowhere',
      '--upload-pack=x',
      '-h',
      'HEAD:agent.json',
      'main..HEAD',
      'HEAD\nHEAD',
      '0'.repeat(40),
    ]) {
      const { text, isError } = await manager.propose(ref)
      assert.ok(isError)
      assert.match(text, /^not_found: there is no commit /, ref)
    }
    assert.deepEqual(manager.taken, [])
  })

  test('is refused for an agent that has no repository, and for what is no clone', async () => {
    using manager = await makeManager()
    assert.match(
      (await manager.propose('HEAD', 'bob')).text,
      /^not_found: there is no repository of bob.*request_init_config/,
    )
    manager.deploy('bob', 0, { 'agent.json': '{}' })
    mkdirSync(manager.clone('bob'))
    assert.match((await manager.propose('HEAD', 'bob')).text, /^conflict: .*bob is no clone of .*move it away/)
    assert.match((await manager.propose('HEAD', '../bob')).text, /^Bad input: agent/)
  })

  test('is refused when it is too large for the socket; the largest is not', async () => {
    using manager = await makeManager()
    const file = join(manager.clone('alice'), 'data')
    writeFileSync(file, randomBytes(MAX_PACK_BYTES - 2_000))
    const sha = manager.commit('alice', {})
    const { text, isError } = await manager.propose('HEAD')
    assert.ok(!isError, text)
    assert.ok(JSON.stringify({ id: 1, op: 'request_apply_commit', input: manager.taken[0] }).length < MAX_LINE_BYTES)
    assert.deepEqual(manager.take('alice', sha, manager.taken[0]?.pack ?? ''), ['agent.json', 'data', 'tool.js'])

    writeFileSync(file, randomBytes(MAX_PACK_BYTES))
    manager.commit('alice', {})
    assert.match((await manager.propose('HEAD')).text, /^too_large: .*keep data in \/state/)
    assert.equal(manager.taken.length, 1)
  })
})

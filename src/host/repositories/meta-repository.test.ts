import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { MetaRepository } from './meta-repository.ts'
import { runGit } from './proposals-in-test.ts'

const SHA = 'a'.repeat(40)
const deploy = (id: number, sha = SHA) => ({ sha, artifact: `art-${id}`, approval: id, tag: `deployed/${id}` })

function makeRoom() {
  const directory = mkdtempSync(join(tmpdir(), 'hive-meta-'))
  const git = (...args: string[]) => String(runGit(directory, args)).trim()
  const read = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8'))
  return {
    directory,
    git,
    read,
    subjects: () => git('log', '--reverse', '--format=%s').split('\n'),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}

describe('the meta repository', () => {
  it('has a commit for each deploy and destroy, and its files say what runs', async () => {
    using room = makeRoom()
    const meta = new MetaRepository(room)
    await meta.open()
    await Promise.all([meta.record('bob', deploy(2)), meta.record('alice', deploy(1))])
    await meta.record('bob', deploy(3, 'b'.repeat(40)))
    await meta.forget('alice')
    assert.deepEqual(room.subjects(), [
      'begin',
      `deploy bob deployed/2 ${'a'.repeat(12)}`,
      `deploy alice deployed/1 ${'a'.repeat(12)}`,
      `deploy bob deployed/3 ${'b'.repeat(12)}`,
      'destroy alice',
    ])
    assert.deepEqual(room.read('deployments.json'), {
      agents: { bob: { sha: 'b'.repeat(40), artifact: 'art-3', approval: 3 } },
    })
    const earlier = JSON.parse(room.git('show', 'HEAD~2:deployments.json'))
    assert.deepEqual(Object.keys(earlier.agents), ['alice', 'bob'])
    assert.equal(room.git('status', '--porcelain'), '')
  })

  it('commits nothing that is noted already, also after a restart', async () => {
    using room = makeRoom()
    for (let n = 0; n < 2; n++) {
      const meta = new MetaRepository(room)
      await meta.open()
      await meta.record('alice', deploy(1))
      await meta.record('alice', deploy(1))
      await meta.forget('nobody')
    }
    assert.deepEqual(room.subjects(), ['begin', `deploy alice deployed/1 ${'a'.repeat(12)}`])
  })

  it('publishes the schema of agent.json, again when it has changed', async () => {
    using room = makeRoom()
    await new MetaRepository(room).open()
    const schema = room.read('agent.schema.json')
    assert.ok('mcpServers' in schema.properties && !('required' in schema))
    writeFileSync(join(room.directory, 'agent.schema.json'), '{}')
    room.git('commit', '--quiet', '--all', '--message=an older schema')
    await new MetaRepository(room).open()
    assert.deepEqual(room.read('agent.schema.json'), schema)
    assert.equal(room.subjects().at(-1), 'update the schema of agent.json')
  })

  it('puts right what a daemon left that was killed', async () => {
    using room = makeRoom()
    const first = new MetaRepository(room)
    await first.open()
    await first.record('alice', deploy(1))
    const head = room.git('rev-parse', 'HEAD')
    // Killed after the commit, before its index was there; and before the commit, its file written.
    room.git('reset', '--quiet', '--soft', 'HEAD~1')
    room.git('add', '--all')
    room.git('update-ref', 'refs/heads/main', head)
    writeFileSync(join(room.directory, 'deployments.json'), '{ "agents":')
    for (const lock of ['index.lock', 'HEAD.lock', 'refs/heads/main.lock']) {
      writeFileSync(join(room.directory, '.git', lock), '')
    }
    const next = new MetaRepository(room)
    await next.open()
    assert.equal(room.git('status', '--porcelain'), '')
    assert.deepEqual(Object.keys(room.read('deployments.json').agents), ['alice'])
    await next.record('alice', deploy(2))
    assert.equal(room.subjects().length, 3)
  })

  it('goes on after a git that left a lock', async () => {
    using room = makeRoom()
    const meta = new MetaRepository(room)
    await meta.open()
    writeFileSync(join(room.directory, '.git', 'index.lock'), '')
    await assert.rejects(meta.record('alice', deploy(1)), { code: 'internal', message: /index\.lock/ })
    await meta.record('alice', deploy(1))
    assert.equal(room.subjects().length, 2)
  })

  it('can be read by others, whatever the umask is', async () => {
    using room = makeRoom()
    const before = process.umask(0o077)
    try {
      const meta = new MetaRepository(room)
      await meta.open()
      await meta.record('alice', deploy(1))
    } finally {
      process.umask(before)
    }
    const paths = [...room.git('ls-files').split('\n'), '.git/HEAD', '.git/index', '.git/refs/heads/main']
    for (const path of paths) assert.equal(statSync(join(room.directory, path)).mode & 0o444, 0o444, path)
    for (const path of ['.git', '.git/objects', '.git/refs/heads']) {
      assert.equal(statSync(join(room.directory, path)).mode & 0o555, 0o555, path)
    }
  })
})

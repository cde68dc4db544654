import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AppliedRepositories } from './applied-repositories.ts'
import { AGENT, openProposals } from './proposals-in-test.ts'

const MODEL = '{ "model": "sonnet" }\n'

describe('seed', () => {
  it('makes a bare repository with main and deployed/0 that others can read, whatever the umask is', async () => {
    const before = process.umask(0o077)
    try {
      using room = await openProposals({ 'agent.json': '{}\n', 'tools/run me.sh': 'echo\n' })
      assert.equal(await room.repositories.main(AGENT), room.first)
      assert.equal(room.applied('rev-parse', 'main', 'deployed/0'), `${room.first}\n${room.first}`)
      assert.equal(room.applied('config', 'core.bare'), 'true')
      assert.equal(room.applied('show', 'main:tools/run me.sh'), 'echo')
      assert.match(
        room.applied('log', '-1', '--format=%an <%ae> %s', 'main'),
        /^hyperhive <hyperhive@localhost> begin$/,
      )
      for (const path of readdirSync(join(room.directory, AGENT), { recursive: true }) as string[]) {
        const { mode } = statSync(join(room.directory, AGENT, path))
        assert.equal(mode & 0o444, 0o444, `${path} can be read`)
        assert.equal(mode & 0o022, 0, `${path} cannot be written`)
      }
    } finally {
      process.umask(before)
    }
  })

  it('leaves one that is there as it is', async () => {
    using room = await openProposals()
    assert.equal(await room.repositories.seed(AGENT, { 'agent.json': MODEL }, 'again'), room.first)
    assert.equal(room.applied('rev-list', '--count', '--all'), '1')
  })

  it('makes one when asked twice at once', async () => {
    using room = await openProposals()
    const seeds = [1, 2].map((n) => room.repositories.seed('bob', { n: String(n) }, 'begin'))
    const [one, two] = await Promise.all(seeds)
    assert.equal(one, two)
    assert.deepEqual(room.repositories.names().sort(), [AGENT, 'bob'])
  })
})

describe('hold', () => {
  it('lets the changes end that have begun, and keeps those that come waiting', async () => {
    using room = await openProposals()
    const { repositories } = room
    const begun = repositories.seed('bob', { n: '1' }, 'begin')
    // Its turn at the repository comes with the next microtask.
    await Promise.resolve()
    let late: Promise<string> | undefined
    const seen = await repositories.hold(async () => {
      late = repositories.seed('carol', { n: '2' }, 'begin')
      await repositories.main(AGENT)
      return repositories.names().sort()
    })
    assert.deepEqual(seen, [AGENT, 'bob'])
    assert.deepEqual([await late, await begun], [await repositories.main('carol'), await repositories.main('bob')])
  })
})

describe('a proposal', () => {
  it('is taken, approved, built and promoted, with a tag for each step', async () => {
    using room = await openProposals()
    const { repositories, first } = room
    const sha = room.commit({ 'agent.json': MODEL, 'notes.md': 'hello\n' })
    assert.deepEqual(await room.take(3, sha), { base: first })
    assert.deepEqual(await repositories.tags(AGENT, 3), new Set(['proposal']))
    await repositories.tag(AGENT, 3, 'approved', sha)
    await repositories.tag(AGENT, 3, 'building', sha)
    assert.equal(await repositories.main(AGENT), first)
    await repositories.promote(AGENT, 3, { sha, base: first })
    assert.equal(await repositories.main(AGENT), sha)
    assert.deepEqual(await repositories.tags(AGENT, 3), new Set(['proposal', 'approved', 'building', 'deployed']))
    assert.equal(await repositories.readFile(AGENT, sha, 'agent.json', 1000), MODEL)
    assert.equal(await repositories.descends(AGENT, first, sha), true)
    assert.equal(await repositories.descends(AGENT, sha, first), false)
  })

  it('is seen by the manager that fetches it', async () => {
    using room = await openProposals()
    const sha = room.commit({ 'agent.json': MODEL })
    await room.take(1, sha)
    await room.repositories.promote(AGENT, 1, { sha, base: room.first })
    room.git('fetch', '--quiet', '--tags', 'applied')
    assert.equal(room.git('rev-parse', 'applied/main', 'deployed/1'), `${sha}\n${sha}`)
  })

  it('is taken without a pack when its commit is there already', async () => {
    using room = await openProposals()
    const sha = room.commit({ 'agent.json': MODEL })
    await room.take(1, sha)
    await room.take(2, sha, Buffer.alloc(0))
    await room.take(3, sha, room.pack(sha, [sha]))
    await room.take(4, room.first, Buffer.alloc(0))
    assert.equal(room.applied('rev-parse', 'proposal/2', 'proposal/3', 'proposal/4'), `${sha}\n${sha}\n${room.first}`)
  })

  it('is taken with the steps that led to it, and merges', async () => {
    using room = await openProposals()
    room.commit({ a: '1\n' })
    room.git('checkout', '--quiet', '-b', 'side', room.first)
    room.commit({ b: '1\n' })
    room.git('checkout', '--quiet', 'main')
    room.git('merge', '--quiet', '--no-edit', 'side')
    const sha = room.git('rev-parse', 'HEAD')
    assert.deepEqual(await room.take(1, sha), { base: room.first })
    assert.equal(room.applied('rev-list', '--count', 'proposal/1'), '4')
  })

  it('says who made it and why, with nothing hidden', async () => {
    using room = await openProposals()
    const sha = room.commit({ a: '1\n' }, 'allow \u202egit\u0007\n\nbecause')
    await room.take(1, sha)
    const { author, at, message } = await room.repositories.commit(AGENT, sha)
    assert.deepEqual([author, message], ['m <m@hive>', 'allow <U+202E>git<U+0007>\n\nbecause'])
    assert.equal(at, Number(room.git('log', '-1', '--format=%at')) * 1000)
  })

  it('that was denied or failed has the reason as the text of its tag', async () => {
    using room = await openProposals()
    const { repositories } = room
    const sha = room.commit({ a: '1\n' })
    await room.take(1, sha)
    await room.take(2, sha, Buffer.alloc(0))
    await repositories.close(AGENT, 1, 'denied', sha, 'not \u001b[2Jnow\n-- ever')
    await repositories.close(AGENT, 2, 'failed', sha, '')
    assert.equal(room.applied('tag', '-l', '--format=%(contents)', 'denied/1'), 'not <U+001B>[2Jnow\n-- ever')
    assert.equal(room.applied('cat-file', '-t', 'failed/2'), 'tag')
    assert.equal(room.applied('rev-parse', 'failed/2^{commit}'), sha)
  })

  it('has one end: another is refused, the same may be said again', async () => {
    using room = await openProposals()
    const { repositories, first } = room
    const sha = room.commit({ a: '1\n' })
    for (const id of [1, 2]) await room.take(id, sha)
    await repositories.close(AGENT, 1, 'denied', sha, 'no')
    await repositories.close(AGENT, 1, 'denied', sha, 'no, again')
    assert.equal(room.applied('tag', '-l', '--format=%(contents)', 'denied/1'), 'no')
    await assert.rejects(repositories.close(AGENT, 1, 'failed', sha, ''), { code: 'conflict' })
    await assert.rejects(repositories.promote(AGENT, 1, { sha, base: first }), { code: 'conflict' })
    assert.equal(await repositories.main(AGENT), first)
    for (let n = 0; n < 2; n++) {
      await repositories.tag(AGENT, 2, 'approved', sha)
      await repositories.promote(AGENT, 2, { sha, base: first })
    }
    await assert.rejects(repositories.close(AGENT, 2, 'failed', sha, ''), { code: 'conflict' })
    await assert.rejects(repositories.tag(AGENT, 2, 'approved', first), { code: 'conflict' })
  })

  it('is not promoted when something else runs meanwhile, also when both are promoted at once', async () => {
    using room = await openProposals()
    const { repositories, first: base } = room
    const one = room.commit({ a: '1\n' })
    room.git('checkout', '--quiet', '-b', 'other', base)
    const two = room.commit({ a: '2\n' })
    await room.take(1, one)
    await room.take(2, two)
    const results = await Promise.allSettled([
      repositories.promote(AGENT, 1, { sha: one, base }),
      repositories.promote(AGENT, 2, { sha: two, base }),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
    assert.equal(await repositories.main(AGENT), one)
    assert.deepEqual(await repositories.tags(AGENT, 2), new Set(['proposal']))
    await assert.rejects(room.take(3, two), { code: 'bad_input', message: /not based on what runs now/ })
  })

  it('can be found after git has tidied up', async () => {
    using room = await openProposals()
    const { repositories, first } = room
    const sha = room.commit({ a: '1\n' })
    await room.take(1, sha)
    room.applied('gc', '--quiet', '--prune=now')
    assert.equal(existsSync(join(room.gitDir, 'refs/tags/proposal/1')), false)
    assert.deepEqual(
      [await repositories.main(AGENT), await repositories.tags(AGENT, 1)],
      [first, new Set(['proposal'])],
    )
    await repositories.promote(AGENT, 1, { sha, base: first })
    assert.equal(await repositories.main(AGENT), sha)
  })
})

describe('extract', () => {
  it('writes the files of a commit as they are, whatever attributes or the umask say', async () => {
    using room = await openProposals()
    const sha = room.commit({
      'agent.json': MODEL,
      'bin/run*': '#!/bin/sh\r\n$Id$\n',
      'deep/er/zero': Buffer.from([0, 255]),
    })
    await room.take(1, sha)
    mkdirSync(join(room.gitDir, 'info'), { recursive: true })
    writeFileSync(join(room.gitDir, 'info', 'attributes'), '* ident export-subst eol=crlf\n')
    const directory = join(room.room, 'configs', AGENT, sha)
    const before = process.umask(0o077)
    await room.repositories.extract(AGENT, sha, directory).finally(() => process.umask(before))
    const modes = (readdirSync(directory, { recursive: true }) as string[])
      .sort()
      .map((path) => [path, (statSync(join(directory, path)).mode & 0o7777).toString(8)])
    assert.deepEqual(modes, [
      ['agent.json', '644'],
      ['bin', '755'],
      ['bin/run', '755'],
      ['deep', '755'],
      ['deep/er', '755'],
      ['deep/er/zero', '644'],
    ])
    assert.equal(readFileSync(join(directory, 'bin/run'), 'utf8'), '#!/bin/sh\r\n$Id$\n')
    assert.deepEqual(readFileSync(join(directory, 'deep/er/zero')), Buffer.from([0, 255]))
    await room.repositories.extract(AGENT, sha, directory)
    assert.deepEqual(readdirSync(join(room.room, 'configs', AGENT)), [sha])
  })

  it('leaves nothing behind when there is no such commit', async () => {
    using room = await openProposals()
    await assert.rejects(room.repositories.extract(AGENT, 'a'.repeat(40), join(room.room, 'configs', 'x')))
    assert.equal(existsSync(join(room.room, 'configs', 'x')), false)
  })
})

describe('sweep', () => {
  it('shows a repository that cannot be put right, and goes on with the others', async () => {
    using room = await openProposals()
    const { gitDir, directory } = room
    mkdirSync(join(directory, 'aaa/.git'), { recursive: true })
    writeFileSync(join(directory, 'aaa/.git/HEAD'), 'ref: refs/heads/main')
    mkdirSync(join(directory, 'aaa/.git/refs/tags/deployed'), { recursive: true })
    writeFileSync(join(directory, 'aaa/.git/refs/tags/deployed/1.lock'), '')
    writeFileSync(join(gitDir, 'packed-refs.lock'), '')
    const next = new AppliedRepositories({ directory })
    await next.sweep()
    assert.deepEqual(
      next.errors().map(({ where }) => where),
      ['repository of aaa'],
    )
    assert.equal(existsSync(join(gitDir, 'packed-refs.lock')), false)
  })

  it('removes what was half made, and sets the tag that a promotion had still to set', async () => {
    using room = await openProposals()
    const { first, gitDir, directory } = room
    const sha = room.commit({ a: '1\n' })
    await room.take(7, sha)
    // As a git leaves it that is killed between the two references.
    room.applied('update-ref', 'refs/heads/main', sha)
    mkdirSync(join(gitDir, 'refs/tags/deployed'), { recursive: true })
    const left = ['refs/tags/deployed/7.lock', 'refs/heads/main.lock', 'objects/pack/tmp_pack_x', 'packed-refs.lock']
    for (const path of left) writeFileSync(join(gitDir, path), sha)
    mkdirSync(join(directory, '.aside', 'bob-1', 'bob'), { recursive: true })
    const next = new AppliedRepositories({ directory })
    await next.sweep()
    assert.deepEqual(
      left.filter((path) => existsSync(join(gitDir, path))),
      [],
    )
    assert.deepEqual(readdirSync(join(directory, '.aside')), [])
    assert.deepEqual(await next.tags(AGENT, 7), new Set(['proposal', 'deployed']))
    await next.promote(AGENT, 7, { sha, base: first })
    assert.deepEqual(next.names(), [AGENT])
  })

  it('sets no tag for a promotion that had not begun', async () => {
    using room = await openProposals()
    await room.take(7, room.commit({ a: '1\n' }))
    writeFileSync(join(room.gitDir, 'refs/tags/deployed/7.lock'), '')
    await room.repositories.sweep()
    assert.deepEqual(await room.repositories.tags(AGENT, 7), new Set(['proposal']))
  })
})

describe('remove', () => {
  it('removes a repository, and lets a new one be made', async () => {
    using room = await openProposals()
    await room.repositories.remove(AGENT)
    await room.repositories.remove(AGENT)
    assert.equal(room.repositories.has(AGENT), false)
    await assert.rejects(room.repositories.main(AGENT), { code: 'not_found' })
    assert.equal((await room.repositories.seed(AGENT, { a: 'new\n' }, 'begin')) === room.first, false)
  })
})

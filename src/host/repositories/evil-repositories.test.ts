import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deflateSync } from 'node:zlib'
import { AGENT, CONFIG, openProposals, type Proposals, runGit } from './proposals-in-test.ts'

/** That a proposal is refused with a reason, and leaves nothing behind. */
async function assertRefused(room: Proposals, sha: string, message: RegExp, pack = room.pack(sha), code?: string) {
  const objects = () => readdirSync(join(room.gitDir, 'objects'), { recursive: true }).length
  const before = objects()
  await assert.rejects(room.take(1, sha, pack), (error: { code: string; message: string }) => {
    assert.match(error.message, message)
    assert.doesNotMatch(error.message, /\n/)
    assert.ok(code ? error.code === code : ['bad_input', 'too_large', 'timeout'].includes(error.code), error.code)
    return true
  })
  assert.deepEqual(readdirSync(join(room.directory, '.aside')), [])
  assert.equal(objects(), before)
  assert.equal(room.applied('for-each-ref', 'refs/tags/proposal'), '')
}

/** The tree of the first commit with one entry more. */
const withEntry = (room: Proposals, entry: string): string =>
  room.commitTree(`100644 blob ${room.blob(CONFIG)}\tagent.json\n${entry}\n`)

describe('a repository that would run commands', () => {
  it('runs none with the rights of the daemon, at any step', async () => {
    using room = await openProposals()
    const canary = join(room.room, 'canary')
    const script = join(room.room, 'evil')
    writeFileSync(script, `#!/bin/sh\necho "$0 $@" >> ${canary}\ncat\n`, { mode: 0o755 })
    const settings = {
      'core.fsmonitor': script,
      'core.hooksPath': join(room.clone, '.git', 'hooks'),
      'core.sshCommand': script,
      'core.pager': script,
      'diff.external': script,
      'diff.evil.textconv': script,
      'diff.evil.command': script,
      'filter.evil.clean': script,
      'filter.evil.smudge': script,
      'filter.evil.process': script,
      'uploadpack.packObjectsHook': script,
      'gpg.program': script,
      'alias.diff-tree': `!${script}`,
    }
    const sha = room.commit({ 'agent.json': '{ "model": "x" }\n' })
    const pack = room.pack(sha)
    for (const [name, value] of Object.entries(settings)) room.git('config', name, value)
    mkdirSync(join(room.clone, '.git', 'info'), { recursive: true })
    writeFileSync(join(room.clone, '.git', 'info', 'attributes'), '* filter=evil diff=evil\n')
    const hooks = join(room.clone, '.git', 'hooks')
    mkdirSync(hooks, { recursive: true })
    for (const hook of ['reference-transaction', 'post-index-change', 'pre-commit', 'post-checkout', 'update']) {
      symlinkSync(script, join(hooks, hook))
    }
    room.git('status')
    assert.ok(existsSync(canary), 'it would run, were git used there')
    rmSync(canary)
    await useAll(room, sha, pack)
    assert.equal(existsSync(canary), false)
  })
})

/** Everything that the daemon does with a proposal. */
async function useAll({ repositories, first, room, take }: Proposals, sha: string, pack: Buffer) {
  for (const id of [1, 2]) await take(id, sha, pack)
  await repositories.diff(AGENT, first, sha)
  await repositories.commit(AGENT, sha)
  await repositories.close(AGENT, 2, 'denied', sha, 'no')
  await repositories.tag(AGENT, 1, 'approved', sha)
  await repositories.tag(AGENT, 1, 'building', sha)
  await repositories.readFile(AGENT, sha, 'agent.json', 1000)
  await repositories.extract(AGENT, sha, join(room, 'configs', sha))
  await repositories.promote(AGENT, 1, { sha, base: first })
}

describe('a tree that holds more than ordinary files', () => {
  const cases: Record<string, [(room: Proposals) => string, RegExp]> = {
    'a symbolic link': [
      (room) => `120000 blob ${room.blob('/etc/shadow')}\tlink`,
      /^the proposal cannot be taken: link is a symbolic link$/,
    ],
    'a submodule': [() => `160000 commit ${'a'.repeat(40)}\tsub`, /sub is a submodule/],
    'an entry .git': [(room) => `100644 blob ${room.blob('x')}\t.git`, /hasDotgit/],
    'an entry that some file systems take for .git': [
      (room) => `100644 blob ${room.blob('x')}\t.g\u200cit`,
      /hasDotgit/,
    ],
    'an entry ..': [(room) => `100644 blob ${room.blob('x')}\t..`, /hasDotdot/],
    '.gitmodules': [(room) => `100644 blob ${room.blob('')}\t.gitmodules`, /\.gitmodules names other repositories/],
    '.gitattributes': [
      (room) => `100644 blob ${room.blob('* -diff\n')}\t.gitattributes`,
      /\.gitattributes could hide changes/,
    ],
    'a name with a line end': [(room) => `100644 blob ${room.blob('x')}\ta\rb`, /a<U\+000D>b has a name that cannot/],
    'a name that is reordered': [(room) => `100644 blob ${room.blob('x')}\tx\u202ey`, /x<U\+202E>y has a name/],
    'a path that is too long': [
      (room) => `100644 blob ${room.blob('x')}\t${'x'.repeat(600)}`,
      /a path that is too long/,
    ],
    'a name that stands in it twice': [(room) => `100644 blob ${room.blob('x')}\tagent.json`, /duplicateEntries/],
  }
  for (const [name, [entry, message]] of Object.entries(cases)) {
    it(`is refused: ${name}`, async () => {
      using room = await openProposals()
      await assertRefused(room, withEntry(room, entry(room)), message)
    })
  }

  it('is refused also below the top', async () => {
    using room = await openProposals()
    await assertRefused(room, room.commit({ 'a/b/.gitattributes': '* -diff\n' }), /a\/b\/\.gitattributes could hide/)
  })

  it('is refused when its agent.json is wrong', async () => {
    using room = await openProposals()
    await assertRefused(room, room.commit({ 'agent.json': '{ "modell": "x" }' }), /agent\.json is wrong: .*modell/)
    await assertRefused(room, room.commit({ 'agent.json': Buffer.from([0x7b, 0xff, 0x7d]) }), /not UTF-8/)
    await assertRefused(room, room.commit({ 'agent.json': `{}${' '.repeat(300_000)}` }), /more than 262144 bytes/)
  })
})

describe('a commit that is not what it should be', () => {
  it('is refused unless it is named by its full id', async () => {
    using room = await openProposals()
    const sha = room.commit({ a: '1\n' })
    const names = [
      '--upload-pack=x',
      'HEAD',
      'refs/heads/main',
      sha.slice(0, 12),
      sha.toUpperCase(),
      `${sha}\n`,
      `${sha}^{}`,
      '',
    ]
    for (const name of names) await assertRefused(room, name, /full 40 hex digits/, room.pack(sha))
    for (const id of names) {
      await assert.rejects(room.repositories.diff(AGENT, room.first, id), { code: 'bad_input' })
      await assert.rejects(room.repositories.extract(AGENT, id, join(room.room, 'x')), { code: 'bad_input' })
    }
  })

  it('is refused when it is another object', async () => {
    using room = await openProposals()
    const sha = room.commit({ a: '1\n' })
    room.git('tag', '-a', '-m', 'x', 'tagged')
    const pack = room.pack('tagged')
    for (const type of ['tag', 'tree', 'blob']) {
      const id = room.git('rev-parse', { tag: 'tagged', tree: `${sha}^{tree}`, blob: `${sha}:a` }[type] as string)
      await assertRefused(room, id, new RegExp(`${id} is a ${type}, not a commit`), pack)
    }
  })

  it('is refused when it is not in the pack', async () => {
    using room = await openProposals()
    const sha = room.commit({ a: '1\n' })
    await assertRefused(room, 'a'.repeat(40), /there is no commit aaaa/, room.pack(sha))
    await assertRefused(room, sha, /there is no commit/, Buffer.alloc(0))
  })

  it('is refused when its history is another, or an old one', async () => {
    using room = await openProposals()
    const next = room.commit({ a: '1\n' })
    await room.repositories.take(AGENT, { id: 9, sha: next, pack: room.pack(next) })
    await room.repositories.promote(AGENT, 9, { sha: next, base: room.first })
    room.applied('tag', '-d', 'proposal/9')
    await assertRefused(room, room.first, /not based on what runs now/, Buffer.alloc(0))
    room.git('checkout', '--quiet', '--orphan', 'other')
    const orphan = room.commit({ b: '1\n' })
    await assertRefused(room, orphan, /not based on what runs now/, room.pack(orphan, []))
  })
})

describe('a pack that is not whole', () => {
  it('is refused when it lacks an object, also one that another agent has', async () => {
    using room = await openProposals()
    await room.repositories.seed('bob', { secret: 'of bob\n' }, 'begin')
    const bob = (rev: string) => String(runGit(join(room.directory, 'bob', '.git'), ['rev-parse', rev])).trim()
    const [commit, blob] = [bob('main'), bob('main:secret')]
    const stolen = room.commitTree(`100644 blob ${blob}\tsecret\n`)
    const tree = room.git('rev-parse', `${stolen}^{tree}`)
    const pack = runGit(room.clone, ['pack-objects', '--stdout', '-q'], `${stolen}\n${tree}\n`)
    await assertRefused(room, stolen, new RegExp(`did not receive expected object ${blob}`), pack, 'bad_input')
    const parents = `parent ${room.first}\nparent ${commit}\n`
    const heir = `tree ${room.git('rev-parse', `${room.first}^{tree}`)}\n${parents}author m <m> 1 +0000\ncommitter m <m> 1 +0000\n\nx\n`
    const child = String(
      runGit(room.clone, ['hash-object', '-w', '-t', 'commit', '--stdin', '--literally'], heir),
    ).trim()
    const alone = runGit(room.clone, ['pack-objects', '--stdout', '-q'], `${child}\n`)
    await assertRefused(room, child, new RegExp(`did not receive expected object ${commit}`), alone, 'bad_input')
  })

  it('is refused when it builds on what is there, and that is damaged', async () => {
    using room = await openProposals()
    const sha = withEntry(room, `100644 blob ${'b'.repeat(40)}\tlost`)
    const tree = room.git('rev-parse', `${sha}^{tree}`)
    const pack = runGit(room.clone, ['pack-objects', '--stdout', '-q'], `${sha}\n${tree}\n`)
    runGit(room.gitDir, ['unpack-objects', '-q'], pack)
    await assertRefused(room, sha, /something that it refers to is missing: .*bbbb/, Buffer.alloc(0), 'bad_input')
  })

  it('is refused when it is thin on an object that is not there', async () => {
    using room = await openProposals()
    const text = Array.from(
      { length: 500 },
      (_, n) => `line ${n} ${createHash('sha1').update(String(n)).digest('hex')}\n`,
    )
    const before = room.commit({ big: text.join('') })
    const sha = room.commit({ big: `${text.join('')}more\n` })
    const whole = room.pack(sha)
    const thin = room.pack(sha, [before])
    assert.ok(thin.length < whole.length / 2, 'it is thin')
    await assertRefused(room, sha, /unresolved delta/, thin)
    await room.take(1, sha, whole)
  })

  it('is refused when it is corrupt, cut off, or more follows', async () => {
    using room = await openProposals()
    const sha = room.commit({ a: '1\n' })
    const pack = room.pack(sha)
    const flipped = Buffer.from(pack)
    flipped[20] = (flipped[20] as number) ^ 0xff
    await assertRefused(room, sha, /pack is damaged/, flipped)
    await assertRefused(room, sha, /cannot be taken/, withSum(flipped.subarray(0, -20)))
    await assertRefused(room, sha, /pack is damaged/, pack.subarray(0, -30))
    await assertRefused(room, sha, /cannot be taken/, withSum(pack.subarray(0, -30)))
    await assertRefused(room, sha, /pack is damaged, or more follows/, Buffer.concat([pack, Buffer.from('garbage')]))
    await assertRefused(room, sha, /no pack of git/, Buffer.from('PACK'))
    await assertRefused(room, sha, /no pack of git/, Buffer.from('#!/bin/sh\nrm -rf /\n# more than thirty-two bytes'))
  })
})

describe('a proposal that costs', () => {
  const MIB = 1024 * 1024

  it('is refused by its size: 300 MB of zeros in a small pack, with little memory', async () => {
    using room = await openProposals()
    const zeros = join(room.room, 'zeros')
    writeFileSync(zeros, '')
    room.git('config', 'core.bigFileThreshold', '1m')
    truncateSync(zeros, 300 * MIB)
    const blob = room.git('hash-object', '-w', '--no-filters', zeros)
    const sha = withEntry(room, `100644 blob ${blob}\tzeros`)
    const pack = room.pack(sha)
    assert.ok(pack.length < MIB)
    const before = process.resourceUsage().maxRSS
    // Git may have 256 MiB of address space there: it would have been refused for its memory otherwise.
    await assertRefused(room, sha, /has 300\.0 MiB of files/, pack, 'too_large')
    assert.ok(process.resourceUsage().maxRSS - before < 64 * 1024, 'nor does the daemon hold it')
  })

  it('is refused when a delta grows to 300 MB', async () => {
    using room = await openProposals()
    const sha = room.commit({ a: '1\n' })
    await assertRefused(room, sha, /cannot be taken: .*(memory|malloc)/i, packOfDelta(MIB - 1, 300), 'bad_input')
  })

  it('is refused with 100,000 files, or a directory that holds itself ten thousand million times', async () => {
    using room = await openProposals()
    const blob = room.blob('x')
    const many = Array.from({ length: 100_000 }, (_, n) => `100644 blob ${blob}\tf${String(n).padStart(6, '0')}`)
    await assertRefused(room, room.commitTree(`${many.join('\n')}\n`), /more than 500 files/)
    for (const leaf of [`100644 blob ${blob}\tx\n`, '']) {
      const mktree = (lines: string) => String(runGit(room.clone, ['mktree'], lines)).trim()
      let tree = mktree(leaf)
      for (let n = 0; n < 10; n++) tree = mktree('abcdefghij'.replace(/./g, (name) => `040000 tree ${tree}\t${name}\n`))
      await assertRefused(room, room.commitTree(`040000 tree ${tree}\tx\n`), /more than 500 files/)
    }
  })

  it('is refused when it is deep, or adds too many objects', async () => {
    using room = await openProposals()
    const write = (path: string) =>
      `commit refs/heads/deep\ncommitter m <m@hive> 1 +0000\ndata 0\nfrom ${room.first}\nM 100644 inline ${path}\ndata 1\nx\n`
    const deep = (depth: number) => {
      runGit(room.clone, ['fast-import', '--quiet', '--force'], write(`${'d/'.repeat(depth)}x`))
      return room.git('rev-parse', 'deep')
    }
    await assertRefused(room, deep(33), /more than 32 directories deep/)
    await assertRefused(room, deep(1900), /cannot be taken/)
    await assertRefused(room, deep(2100), /adds 210\d objects, at most 2000/)
  })

  it('is refused when its files are too large, or its paths too long, together', async () => {
    using room = await openProposals()
    const files = (count: number, name: (n: number) => string, content: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [name(n), content]))
    await assertRefused(room, room.commit(files(5, String, 'x'.repeat(MIB))), /has 5\.0 MiB of files, at most 4/)
    room.git('reset', '--quiet', '--hard', room.first)
    await assertRefused(
      room,
      room.commit(files(400, (n) => 'n'.repeat(100) + n, '')),
      /paths that are too long together/,
    )
    room.git('reset', '--quiet', '--hard', room.first)
    await assertRefused(room, room.commit(files(501, String, '')), /more than 500 files/)
  })
})

describe('a proposal that was taken', () => {
  it('is what is deployed, whatever happens to the repository that it came from', async () => {
    using room = await openProposals()
    const sha = room.commit({ 'agent.json': '{ "model": "shown" }\n' })
    await room.take(1, sha)
    room.git('commit', '--quiet', '--amend', '--message', 'another')
    room.git('reflog', 'expire', '--expire=now', '--all')
    room.git('gc', '--quiet', '--prune=now')
    assert.throws(() => room.git('cat-file', '-e', sha))
    rmSync(room.clone, { recursive: true })
    const directory = join(room.room, 'configs', sha)
    await room.repositories.extract(AGENT, sha, directory)
    await room.repositories.promote(AGENT, 1, { sha, base: room.first })
    assert.equal(readFileSync(join(directory, 'agent.json'), 'utf8'), '{ "model": "shown" }\n')
  })

  it('is taken once under one id; two at once are two', async () => {
    using room = await openProposals()
    const one = room.commit({ a: '1\n' })
    const two = room.commit({ a: '2\n' })
    await Promise.all([room.take(1, one), room.take(2, two)])
    assert.equal(room.applied('rev-parse', 'proposal/1', 'proposal/2'), `${one}\n${two}`)
    await assert.rejects(room.take(1, two), { code: 'conflict' })
    assert.equal(room.applied('rev-parse', 'proposal/1'), one)
    assert.equal(room.applied('fsck', '--strict', '--no-dangling'), '')
  })
})

describe('a git that is killed', () => {
  const ROUNDS = 60

  it('leaves nothing broken, at any moment: everything can be done again', async () => {
    using room = await openProposals()
    const { repositories } = room
    let [base, killed] = [room.first, 0]
    /** Does it with a git killed sometime, then again. */
    const interrupted = async (action: () => Promise<unknown>, isDone: () => Promise<boolean>) => {
      const killing = sleep(Math.random() * 14).then(killGits)
      const [result] = await Promise.all([action().catch((error: { code: string }) => error), killing])
      if (result instanceof Error) killed++
      // Either it is done as a whole, or it can be done.
      if (!(await isDone())) await action()
      assert.ok(await isDone())
    }
    for (let id = 1; id <= ROUNDS; id++) {
      const sha = room.commit({ 'agent.json': `{ "model": "m${id}" }\n` })
      const pack = room.pack(sha, [base])
      const has = (tag: string) => async () => (await repositories.tags(AGENT, id)).has(tag as 'proposal')
      await interrupted(() => room.take(id, sha, pack), has('proposal'))
      await interrupted(() => repositories.tag(AGENT, id, 'approved', sha), has('approved'))
      if (id % 3 === 0) {
        await interrupted(() => repositories.close(AGENT, id, 'failed', sha, 'why'), has('failed'))
        room.git('reset', '--quiet', '--hard', base)
      } else {
        await interrupted(() => repositories.promote(AGENT, id, { sha, base }), has('deployed'))
        assert.equal(await repositories.main(AGENT), sha)
        base = sha
      }
    }
    assert.ok(killed > ROUNDS / 10, `${killed} were killed`)
    await repositories.sweep()
    assert.doesNotMatch(room.applied('fsck', '--strict', '--no-dangling'), /error|missing|broken|corrupt/)
    const left = (readdirSync(room.gitDir, { recursive: true }) as string[]).filter((path) => /\.lock$|tmp_/.test(path))
    assert.deepEqual(left, [])
  })
})

/** Kills every git that this process runs. */
function killGits(): void {
  for (const pid of readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')) {
    try {
      if (/^(git|prlimit)$/.test(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
}

/** A pack of a blob of zeros, and a delta that repeats it. */
function packOfDelta(baseBytes: number, times: number): Buffer {
  const base = Buffer.alloc(baseBytes)
  const id = createHash('sha1').update(`blob ${baseBytes}\0`).update(base).digest()
  const copy = Buffer.from([0xf0, baseBytes & 255, (baseBytes >> 8) & 255, baseBytes >> 16])
  const delta = Buffer.concat([varint(baseBytes), varint(baseBytes * times), ...Array(times).fill(copy)])
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\x02', 'latin1')
  const entries = [entryHead(3, baseBytes), deflateSync(base), entryHead(7, delta.length), id, deflateSync(delta)]
  return withSum(Buffer.concat([head, ...entries]))
}

const withSum = (pack: Uint8Array): Buffer => Buffer.concat([pack, createHash('sha1').update(pack).digest()])

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest > 127 ? 128 : 0))
    if (rest < 128) return Buffer.from(bytes)
  }
}

function entryHead(type: number, size: number): Buffer {
  const first = (type << 4) | (size & 15)
  return size < 16 ? Buffer.from([first]) : Buffer.concat([Buffer.from([first | 128]), varint(size >> 4)])
}

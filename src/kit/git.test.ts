import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { isAlive, processId } from './detached.ts'
import { assertUsableGit, createGit, endLeftGits } from './git.ts'

async function openRoom() {
  const room = mkdtempSync(join(tmpdir(), 'hive-git-'))
  const git = createGit({ gitDir: join(room, 'r', '.git') })
  mkdirSync(git.gitDir, { recursive: true })
  await git.run(['init', '--quiet', '--bare', '--template='])
  return { room, git, [Symbol.dispose]: () => rmSync(room, { recursive: true }) }
}

describe('git', () => {
  it('is there, and new enough', () => assertUsableGit())

  it('is asked with bytes, and gives bytes', async () => {
    using room = await openRoom()
    const bytes = Buffer.from([0, 255, 10, 13, 195])
    const id = String(await room.git.run(['hash-object', '-w', '--stdin'], { stdin: bytes })).trim()
    assert.deepEqual(await room.git.run(['cat-file', 'blob', id]), bytes)
  })

  it('takes nothing from the environment of the daemon, nor from its home', async () => {
    using room = await openRoom()
    writeFileSync(join(room.room, '.gitconfig'), '[user]\n\tname = evil\n[alias]\n\tevil = version\n')
    const names = { HOME: room.room, XDG_CONFIG_HOME: room.room, GIT_DIR: '/', GIT_AUTHOR_NAME: 'evil', SECRET: 'evil' }
    const config = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'evil' }
    const before = { ...process.env }
    Object.assign(process.env, names, config)
    try {
      const said = [await room.git.run(['config', '--list']), await room.git.run(['var', 'GIT_AUTHOR_IDENT'])].join('')
      assert.doesNotMatch(said, /evil/)
      assert.match(said, /hyperhive <hyperhive@localhost>/)
    } finally {
      for (const name of Object.keys({ ...names, ...config })) delete process.env[name]
      Object.assign(process.env, before)
    }
  })

  it('says what git complains about, on one line', async () => {
    using room = await openRoom()
    const { exitCode, stderr } = await room.git.attempt(['rev-parse', '--verify', 'nothing'])
    assert.deepEqual([exitCode, stderr], [128, 'fatal: Needed a single revision'])
    await assert.rejects(room.git.run(['rev-parse', '--verify', 'nothing']), {
      code: 'internal',
      message: 'git rev-parse failed with 128: fatal: Needed a single revision',
    })
  })

  it('is killed when it takes too long or says too much', async () => {
    using room = await openRoom()
    const stdin = Buffer.alloc(300_000, 'x')
    const id = String(await room.git.run(['hash-object', '-w', '--stdin'], { stdin })).trim()
    await assert.rejects(room.git.run(['cat-file', 'blob', id], { maxBytes: 299_999 }), { code: 'too_large' })
    assert.equal((await room.git.run(['cat-file', 'blob', id], { maxBytes: 300_000 })).length, 300_000)
    await assert.rejects(room.git.run(['hash-object', '--stdin'], { stdin: Buffer.alloc(200_000_000), timeoutMs: 5 }), {
      code: 'timeout',
    })
  })

  it('has its memory limited where it looks at what is strange', async () => {
    using room = await openRoom()
    const git = createGit({ gitDir: room.git.gitDir, quarantine: join(room.room, 'objects') })
    const stdin = Buffer.alloc(300_000_000)
    const { exitCode, stderr } = await git.attempt(['hash-object', '-t', 'blob', '--stdin'], { stdin })
    assert.deepEqual([exitCode > 0, /memory/i.test(stderr)], [true, true], stderr)
  })
})

describe('endLeftGits', () => {
  it('ends what a daemon left that was killed, in its repositories only', async () => {
    using room = await openRoom()
    const script = `
      import { readFileSync } from 'node:fs'
      import { createGit } from ${JSON.stringify(join(import.meta.dirname, 'git.ts'))}
      void createGit({ gitDir: ${JSON.stringify(room.git.gitDir)} }).run(['cat-file', '--batch'], { stdin: Buffer.alloc(1e8) })
      const [pid] = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim().split(' ')
      process.kill(Number(pid), 'SIGSTOP')
      console.log(pid)
      setInterval(() => {}, 1000)`
    const daemon = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(createInterface(daemon.stdout), 'line')) as [string]
    const git = processId(Number(line))
    assert.ok(git)
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
    await endLeftGits(join(room.room, 'another'))
    assert.ok(isAlive(git), 'it outlives the daemon')
    await endLeftGits(room.room)
    assert.equal(isAlive(git), false)
  })
})

import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { agentUid, createLayout, FIRST_AGENT_UID, makeAgentDirectories, makeHiveDirectories } from './layout.ts'

const uid = process.getuid?.() ?? 0
const asRoot = { skip: uid !== 0 && 'the daemon is no root here' }

function makeRoom() {
  const path = mkdtempSync(join(tmpdir(), 'hive-layout-'))
  const layout = createLayout({ stateDir: join(path, 'a/state'), runDir: join(path, 'b/run') })
  return { path, layout, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}
const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8)

describe('makeHiveDirectories', () => {
  it('makes them so that agents can pass, whatever the umask, and again without harm', () => {
    using room = makeRoom()
    const before = process.umask(0o077)
    try {
      for (const _ of ['first', 'again']) makeHiveDirectories(room.layout, uid)
    } finally {
      process.umask(before)
    }
    const { stateDir, runDir, credentials } = room.layout
    assert.deepEqual([stateDir, runDir, credentials].map(modeOf), ['711', '711', '711'])
    assert.deepEqual([join(stateDir, '..'), join(runDir, '..')].map(modeOf), ['755', '755'])
  })

  it('takes an empty directory, one that a hive was begun in, and one within the other', () => {
    for (const [state, run] of [
      ['x', 'y'],
      ['x', 'x/run'],
      ['x/state', 'x'],
    ] as const) {
      using room = makeRoom()
      const layout = createLayout({ stateDir: join(room.path, state), runDir: join(room.path, run) })
      mkdirSync(join(room.path, 'x'), { mode: 0o700 })
      for (const _ of ['first', 'again']) makeHiveDirectories(layout, uid)
      assert.equal(modeOf(layout.stateDir), '711')
      writeFileSync(layout.database, '')
      writeFileSync(join(layout.stateDir, 'gateway.out'), '')
      makeHiveDirectories(layout, uid)
    }
  })

  it('refuses a directory that is somebody else’s, and leaves it as it is', () => {
    using room = makeRoom()
    const make = (name: string, mode: number, entries: readonly string[] = []) => {
      const path = join(room.path, name)
      mkdirSync(path)
      for (const entry of entries) writeFileSync(join(path, entry), '')
      chmodSync(path, mode)
      return path
    }
    const home = make('home', 0o755)
    const refused: [string, RegExp][] = [
      [make('shared', 0o1777), /everybody/],
      [make('full', 0o755, ['app', 'letters']), /holds no hive/],
      [home, /home/],
      ['/', /no place/],
    ]
    symlinkSync('/', join(room.path, 'root'))
    refused.push([join(room.path, 'root'), /no place/])
    if (uid === 0) {
      const other = make('other', 0o755)
      chownSync(other, 12345, 12345)
      refused.push([other, /belongs to uid 12345/])
    }
    const fresh = join(room.path, 'fresh')
    const same = createLayout({ stateDir: fresh, runDir: fresh })
    assert.throws(() => makeHiveDirectories(same, uid, home), { code: 'bad_input', message: /both/ })
    for (const [path, message] of refused) {
      const [mode, entries] = [modeOf(path), readdirSync(path)]
      for (const places of [
        { stateDir: path, runDir: fresh },
        { stateDir: fresh, runDir: path },
      ]) {
        assert.throws(() => makeHiveDirectories(createLayout(places), uid, home), { code: 'bad_input', message })
      }
      assert.deepEqual([modeOf(path), readdirSync(path)], [mode, entries])
    }
    assert.deepEqual(readdirSync(room.path).includes('fresh'), false)
  })
})

describe('makeAgentDirectories', () => {
  it('finishes what a daemon that died had begun', asRoot, () => {
    using room = makeRoom()
    makeHiveDirectories(room.layout, uid)
    const { credentials, state, home } = room.layout.agent('alice')
    for (const path of [home, credentials, state]) mkdirSync(path, { mode: 0o755 })
    makeAgentDirectories(room.layout, 'alice', 1, uid)
    assert.deepEqual([statSync(credentials).uid, modeOf(credentials)], [FIRST_AGENT_UID + 1, '700'])
    const { uid: owner, gid } = statSync(state)
    assert.deepEqual([owner, gid, modeOf(state)], [FIRST_AGENT_UID + 1, FIRST_AGENT_UID, '2750'])
  })

  it('leaves alone what is the agent’s already, and takes back what is not to be', asRoot, () => {
    using room = makeRoom()
    makeHiveDirectories(room.layout, uid)
    makeAgentDirectories(room.layout, 'alice', 1, uid)
    const { credentials, run } = room.layout.agent('alice')
    chmodSync(credentials, 0o500)
    const agent = agentUid(1, uid) as number
    chownSync(run, agent, agent)
    chmodSync(run, 0o700)
    makeAgentDirectories(room.layout, 'alice', 1, uid)
    assert.equal(modeOf(credentials), '500')
    const { uid: owner, gid } = statSync(run)
    assert.deepEqual([owner, gid, modeOf(run)], [0, agent, '2750'])
  })
})

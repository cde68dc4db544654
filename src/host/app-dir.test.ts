import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type AppParts, installApp, pruneApps } from './app-dir.ts'

function makeRoom() {
  const path = mkdtempSync(join(tmpdir(), 'hive-app-'))
  const apps = join(path, 'app')
  mkdirSync(apps)
  const program = (name: string, mode: number) => {
    const file = join(path, name)
    writeFileSync(file, `the ${name}`)
    chmodSync(file, mode)
    return { path: file, version: '1' }
  }
  const parts: AppParts = {
    node: program('node', 0o755),
    claude: program('claude', 0o700),
    bundles: [{ name: 'harness', code: 'run()' }],
  }
  return { apps, parts, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}
const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8)

describe('installApp', () => {
  it('makes what every agent can run, whatever the umask and the modes of the sources', () => {
    using room = makeRoom()
    const before = process.umask(0o077)
    try {
      const { directory, revision } = installApp(room.apps, room.parts)
      assert.deepEqual(readdirSync(room.apps), [revision])
      assert.equal(modeOf(directory), '755')
      assert.deepEqual(
        readdirSync(directory).map((name) => [name, modeOf(join(directory, name))]),
        [
          ['claude', '755'],
          ['harness.mjs', '644'],
          ['hive-ag3nt', '755'],
          ['hive-m1nd', '755'],
          ['node', '755'],
          ['revision', '644'],
        ],
      )
      assert.equal(readFileSync(join(directory, 'claude'), 'utf8'), 'the claude')
    } finally {
      process.umask(before)
    }
    // What was installed elsewhere is left as it was, and shared only when all may run it.
    assert.deepEqual([modeOf(room.parts.claude.path), statSync(room.parts.claude.path).nlink], ['700', 1])
    assert.equal(statSync(room.parts.node.path).nlink, 2)
  })

  it('gives the same revision for the same parts and another for any other', () => {
    using room = makeRoom()
    const { apps, parts } = room
    const first = installApp(apps, parts)
    assert.deepEqual(installApp(apps, parts), first)
    const others: AppParts[] = [
      { ...parts, bundles: [{ name: 'harness', code: 'walk()' }] },
      { ...parts, bundles: [{ name: 'gateway', code: 'run()' }] },
      { ...parts, node: { ...parts.node, version: '2' } },
      { ...parts, claude: { ...parts.claude, path: parts.node.path } },
    ]
    const revisions = [first, ...others.map((other) => installApp(apps, other))].map(({ revision }) => revision)
    assert.equal(new Set(revisions).size, 5)
  })

  it('begins anew where one that died had begun', () => {
    using room = makeRoom()
    const { revision, directory } = installApp(room.apps, room.parts)
    rmSync(directory, { recursive: true })
    mkdirSync(join(room.apps, `${revision}.${process.pid}`))
    assert.equal(installApp(room.apps, room.parts).revision, revision)
    assert.deepEqual(readdirSync(room.apps), [revision])
  })
})

describe('pruneApps', () => {
  it('forgets what nothing runs from, begun ones too', () => {
    using room = makeRoom()
    for (const name of ['aa', 'bb', 'cc', 'cc.17']) {
      mkdirSync(join(room.apps, name))
      writeFileSync(join(room.apps, name, 'node'), '')
    }
    pruneApps(room.apps, new Set(['aa', 'cc', 'unknown']))
    assert.deepEqual(readdirSync(room.apps).sort(), ['aa', 'cc'])
  })
})

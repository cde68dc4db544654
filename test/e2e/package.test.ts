import assert from 'node:assert/strict'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { run } from '../../src/kit/run.ts'
import { startTestHive } from '../hive.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENV = {
  HOME: process.env.HOME ?? '/',
  ...(process.env.npm_config_cache && { npm_config_cache: process.env.npm_config_cache }),
}

/** What npm packs, installed the way npm would: its files below node_modules, dependencies beside it. */
describe('the packed package', { timeout: 180_000 }, () => {
  const directory = mkdtempSync('/tmp/package-')
  const installed = join(directory, 'node_modules', 'hyperhive')
  before(async () => {
    chmodSync(directory, 0o711)
    const pack = await run(['npm', 'pack', '--silent', '--pack-destination', directory], {
      cwd: ROOT,
      env: ENV,
      timeoutMs: 120_000,
    })
    assert.equal(pack.exitCode, 0, pack.stderr)
    mkdirSync(installed, { recursive: true })
    const [tarball] = readdirSync(directory).filter((name) => name.endsWith('.tgz'))
    const unpack = await run(['tar', 'xzf', join(directory, String(tarball)), '-C', installed, '--strip-components=1'])
    assert.equal(unpack.exitCode, 0, unpack.stderr)
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      const target = join(directory, 'node_modules', name)
      if (name !== 'hyperhive') symlinkSync(join(ROOT, 'node_modules', name), target)
    }
  })
  after(() => rmSync(directory, { recursive: true }))

  test('holds no source and no test', () => {
    assert.deepEqual(readdirSync(installed).sort(), ['LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'scripts'])
  })

  test('runs a hive: an agent in its sandbox does what it is told', async () => {
    await using hive = await startTestHive({}, { bin: join(installed, 'bin/hive') })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const { id } = await host.send({ to: 'alice', body: 'say packed' })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.equal(done.attempt, 1)
  })
})

describe('the checkout of a running hive', { timeout: 180_000 }, () => {
  test('may be emptied and filled again: its agents work on', async () => {
    const directory = mkdtempSync('/tmp/checkout-')
    try {
      chmodSync(directory, 0o711)
      for (const name of ['bin', 'src', 'package.json'])
        cpSync(join(ROOT, name), join(directory, name), { recursive: true })
      const modules = join(directory, 'node_modules')
      // Links, not copies: half a gigabyte. Emptying it removes the names, as `npm ci` does.
      cpSync(join(ROOT, 'node_modules'), modules, { recursive: true, verbatimSymlinks: true, mode: 0 })
      await using hive = await startTestHive({}, { bin: join(directory, 'bin/hive') })
      const host = await hive.host()
      await host.spawn({ name: 'alice' })
      rmSync(modules, { recursive: true })
      const { id } = await host.send({ to: 'alice', body: 'bash echo still here' })
      assert.equal((await hive.message(id, ({ state }) => state === 'done')).attempt, 1)
      await host.restart({ agent: 'alice' })
      const again = await host.send({ to: 'alice', body: 'say after a restart' })
      assert.equal((await hive.message(again.id, ({ state }) => state === 'done')).attempt, 1)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

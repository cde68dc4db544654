import assert from 'node:assert/strict'
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { run } from '../../src/kit/run.ts'
import { startTestHive } from '../hive.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENV = {
  HOME: process.env.HOME ?? '/',
  ...(process.env.npm_config_cache && { npm_config_cache: process.env.npm_config_cache }),
}

const npm = async (args: readonly string[], cwd: string): Promise<void> => {
  const offline = ['--prefer-offline', '--no-audit', '--no-fund', '--silent']
  const { exitCode, stdout, stderr } = await run(['npm', ...args, ...offline], { cwd, env: ENV, timeoutMs: 240_000 })
  assert.equal(exitCode, 0, stdout + stderr)
}

/** What npm packs, installed by npm: with what it depends on at run time, and with nothing else that a checkout has. */
describe('the packed package', { timeout: 300_000 }, () => {
  const directory = mkdtempSync('/tmp/package-')
  const bin = join(directory, 'bin/hive')
  before(async () => {
    chmodSync(directory, 0o711)
    await npm(['pack', '--pack-destination', directory], ROOT)
    const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz'))
    await npm(['install', '--global', '--prefix', directory, join(directory, String(tarball))], directory)
  })
  after(() => rmSync(directory, { recursive: true }))

  test('holds no source, no test and no development dependency', () => {
    const installed = join(directory, 'lib/node_modules/hyperhive')
    const files = ['LICENSE', 'README.md', 'bin', 'dist', 'node_modules', 'package.json', 'scripts']
    assert.deepEqual(readdirSync(installed).sort(), files)
    assert.ok(!existsSync(join(installed, 'node_modules/rolldown')))
  })

  test('knows its version, and what it needs', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    assert.equal((await run([bin, '--version'])).stdout, `${version}\n`)
    const { stdout } = await run([bin, 'doctor', '--json', '--state-dir', join(directory, 'state')])
    const { checks } = JSON.parse(stdout)
    const failed = checks.filter(({ status }: { status: string }) => status === 'fail')
    assert.deepEqual(failed, [])
  })

  test('runs a hive: an agent in its sandbox does what it is told', async () => {
    await using hive = await startTestHive({}, { bin })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    const { id } = await host.send({ to: 'alice', body: 'say packed' })
    const done = await hive.message(id, ({ state }) => state === 'done')
    assert.equal(done.attempt, 1)
  })
})

describe('the checkout of a running hive', { timeout: 300_000 }, () => {
  test('may be emptied and filled again: its agents work on, and so does the next daemon', async () => {
    const directory = mkdtempSync('/tmp/checkout-')
    try {
      chmodSync(directory, 0o711)
      for (const name of ['bin', 'src', 'package.json', 'package-lock.json'])
        cpSync(join(ROOT, name), join(directory, name), { recursive: true })
      await npm(['ci'], directory)
      await using hive = await startTestHive({}, { bin: join(directory, 'bin/hive') })
      const work = async (body: string) => assert.equal((await hive.tell('alice', body)).attempt, 1)
      await (await hive.host()).spawn({ name: 'alice' })
      rmSync(join(directory, 'node_modules'), { recursive: true })
      await work('bash echo still here')
      await (await hive.host()).restart({ agent: 'alice' })
      await work('say after a restart')
      await npm(['ci'], directory)
      await work('say filled again')
      const before = hive.processes('alice').harness
      await hive.stop()
      await hive.start()
      await work('say to another daemon')
      assert.equal(hive.processes('alice').harness, before)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

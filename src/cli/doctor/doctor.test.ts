import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadSettings } from '../../kit/settings.ts'
import { HiveError } from '../../wire/errors.ts'
import { FakeHive } from '../fake-hive.ts'
import { createTestIo, runHive } from '../run-in-test.ts'
import type { Check, Patient } from './check.ts'
import { checkRunDir, checkSocketPath, checkStateDir } from './places.ts'
import { checkBundler, checkGit, checkNode, checkTool } from './programs.ts'
import { checkLimits, checkSandbox } from './sandbox.ts'
import { checkCredentials, checkPort } from './surroundings.ts'

const uid = process.getuid?.() ?? 0

describe('doctor', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-doctor-'))
  chmodSync(directory, 0o711)
  after(() => rmSync(directory, { recursive: true }))
  const patient = (stateDir: string, more: Partial<Patient['settings']> = {}, env: NodeJS.ProcessEnv = {}): Patient => {
    const startDaemon = () => Promise.reject(new Error('no daemon here'))
    const flags = { stateDir, config: undefined }
    const settings = { ...loadSettings(flags, { HOME: directory }, 1000), ...more }
    return { cli: { io: createTestIo(), env, uid, startDaemon, probeSandbox: startDaemon }, flags, settings }
  }

  test('finds everything that this machine has, without a daemon', async () => {
    const args = ['doctor', '--json', '--state-dir', directory, '--port', '1']
    const { code, out } = await runHive(args, { uid, env: { HOME: directory } })
    const report: { ok: boolean; checks: Check[] } = JSON.parse(out)
    assert.equal(code, report.ok ? 0 : 1)
    assert.equal(report.ok, !report.checks.some(({ status }) => status === 'fail'))
    const statuses = Object.fromEntries(report.checks.map(({ name, status }) => [name, status]))
    for (const name of [
      'node',
      'claude',
      'bundler',
      'bwrap',
      'sandbox',
      'git',
      'setpriv',
      'nsenter',
      'prlimit',
      'config',
      'state',
      'run',
    ]) {
      assert.equal(statuses[name], 'ok', `${name}: ${out}`)
    }
    assert.deepEqual([statuses.daemon, statuses.credentials], ['warn', 'warn'])
    assert.match(report.checks.find(({ name }) => name === 'claude')?.detail ?? '', /^\d+\.\d+\.\d+/)
  })

  test('shows a line for each check and the fix below', async () => {
    await using hive = await FakeHive.open()
    writeFileSync(join(directory, 'hive.json'), '{"prot": 1}')
    const args = [
      'doctor',
      '--state-dir',
      directory,
      '--run-dir',
      hive.runDir,
      '--config',
      join(directory, 'hive.json'),
    ]
    const { code, out } = await runHive(args, { uid })
    assert.equal(code, 1)
    assert.match(out, /^✓ {2}node {9}\d/)
    assert.match(out, /\n✗ {2}config {7}.*prot.*\n {16}fix: docs\/configuration\.md/)
    assert.match(out, /\n✓ {2}daemon {7}0\.1\.0 serves, pid 4242, a scripted model answers\n/)
  })

  test('shows what keeps a sandbox from starting, each with its fix', () => {
    const working = { problems: [], limits: ['memory', 'cpu', 'pids'] }
    assert.equal(checkSandbox(working, 1000).detail, 'starts and ends, as uid 1000')
    const problems = [
      { what: 'bwrap is not installed', fix: 'apt-get install bubblewrap' },
      { what: 'no bash', fix: 'apt-get install bash' },
    ]
    const { status, detail, fix } = checkSandbox({ ...working, problems }, 0)
    assert.deepEqual(
      [status, detail, fix],
      ['fail', 'bwrap is not installed; no bash', 'apt-get install bubblewrap; apt-get install bash'],
    )
    assert.equal(checkLimits(working).status, 'ok')
    assert.match(checkLimits({ ...working, limits: ['pids'] }).detail, /^memory, cpu cannot be limited/)
  })

  test('goes on when a check cannot be made, and fails', async () => {
    const probeSandbox = () => Promise.reject(new Error('EACCES: no probe today'))
    const args = ['doctor', '--json', '--state-dir', directory]
    const { code, out } = await runHive(args, { uid, env: { HOME: directory }, probeSandbox })
    assert.equal(code, 1)
    const { checks }: { checks: Check[] } = JSON.parse(out)
    const failed = checks.filter(({ status }) => status === 'fail')
    assert.deepEqual(
      failed.map(({ name, detail }) => [name, detail]),
      ['sandbox', 'limits'].map((name) => [name, 'cannot be checked: EACCES: no probe today']),
    )
  })

  test('wants the programs of the system, by their package', async () => {
    assert.equal((await checkTool('bwrap', 'bubblewrap')).status, 'ok')
    assert.deepEqual((await checkTool('no-such-program', 'some-package')).fix, 'apt-get install some-package')
    const old = async () => {
      throw new HiveError('unavailable', 'git version 2.30.2 is too old', { hint: 'install git 2.36 or newer' })
    }
    const { status, fix } = await checkGit(old)
    assert.deepEqual([status, fix], ['fail', 'install git 2.36 or newer'])
  })

  test('wants a bundler in a checkout, not in what was built', () => {
    const isMissing = () => {
      throw new Error('ERR_MODULE_NOT_FOUND')
    }
    assert.equal(checkBundler().status, 'ok')
    assert.match(checkBundler('file:///x/programs.ts', isMissing).fix ?? '', /npm ci/)
    assert.equal(checkBundler('file:///x/main.js', isMissing).status, 'ok')
  })

  test('sees a run directory that cannot be used', () => {
    assert.equal(checkRunDir(patient(directory)).status, 'ok')
    assert.match(checkRunDir(patient(directory, { runDir: '/proc/1/run' })).fix ?? '', /--run-dir/)
    const someoneElse = { ...patient(directory, { runDir: directory }) }
    const cli = { ...someoneElse.cli, uid: uid + 1 }
    assert.equal(checkRunDir({ ...someoneElse, cli }).detail, `${directory} belongs to uid ${uid}`)
    assert.equal(checkStateDir({ ...patient(directory), cli }).status, 'fail')
  })

  test('wants Node 24', () => {
    assert.equal(checkNode('20.20.2', '/usr/bin/node').status, 'fail')
    assert.equal(checkNode('24.0.0', '/usr/bin/node').status, 'ok')
  })

  test('counts the longest socket path', () => {
    const runDir = (bytes: number) => `/${'r'.repeat(bytes - 1)}`
    assert.equal(checkSocketPath(patient(directory, { runDir: runDir(78) })).status, 'ok')
    assert.equal(checkSocketPath(patient(directory, { runDir: runDir(79) })).status, 'fail')
  })

  test('refuses a state directory that others write to, or agents cannot enter', () => {
    const stateDir = join(directory, 'state')
    assert.equal(checkStateDir(patient(stateDir)).status, 'ok')
    mkdirSync(stateDir)
    chmodSync(stateDir, 0o777)
    assert.equal(checkStateDir(patient(stateDir)).fix, `chmod 711 ${stateDir}`)
    chmodSync(stateDir, 0o700)
    // An ordinary user's agents have its uid.
    assert.equal(checkStateDir(patient(stateDir)).fix, uid === 0 ? `chmod o+x ${stateDir}` : undefined)
  })

  test('sees a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    assert.equal((await checkPort(patient(directory, { port }))).status, 'warn')
    server.close()
    await once(server, 'close')
    assert.equal((await checkPort(patient(directory, { port }))).status, 'ok')
  })

  test('finds credentials by name, in settings, logins and the environment, and prints none', () => {
    const stateDir = join(directory, 'with-login')
    assert.match(checkCredentials(patient(stateDir)).detail, /^none/)
    const here = checkCredentials(patient(stateDir, {}, { ANTHROPIC_API_KEY: 's3cret' }))
    assert.deepEqual([here.status, here.fix], ['warn', 'hive up --agent-env ANTHROPIC_API_KEY'])
    assert.doesNotMatch(JSON.stringify(here), /s3cret/)
    assert.equal(checkCredentials(patient(stateDir, { agentEnv: { CLAUDE_CODE_OAUTH_TOKEN: 's3cret' } })).status, 'ok')
    mkdirSync(join(stateDir, 'credentials/alice'), { recursive: true })
    writeFileSync(join(stateDir, 'credentials/alice/.credentials.json'), '')
    assert.equal(checkCredentials(patient(stateDir)).detail, 'logins of alice')
  })
})

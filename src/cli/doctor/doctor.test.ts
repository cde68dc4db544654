import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadSettings } from '../../kit/settings.ts'
import { FakeHive } from '../fake-hive.ts'
import { createTestIo, runHive } from '../run-in-test.ts'
import type { Check, Patient } from './check.ts'
import { checkSocketPath, checkStateDir } from './places.ts'
import { checkBubblewrap, checkNode } from './programs.ts'
import { checkSandbox, explainSandbox } from './sandbox.ts'
import { checkCredentials, checkLimits, checkPort } from './surroundings.ts'

const uid = process.getuid?.() ?? 0

describe('doctor', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-doctor-'))
  chmodSync(directory, 0o711)
  after(() => rmSync(directory, { recursive: true }))
  const patient = (stateDir: string, more: Partial<Patient['settings']> = {}, env: NodeJS.ProcessEnv = {}): Patient => {
    const startDaemon = () => Promise.reject(new Error('no daemon here'))
    const flags = { stateDir, config: undefined }
    const settings = { ...loadSettings(flags, { HOME: directory }, 1000), ...more }
    return { cli: { io: createTestIo(), env, uid, startDaemon }, flags, settings }
  }

  test('finds everything that this machine has, without a daemon', async () => {
    const args = ['doctor', '--json', '--state-dir', directory, '--port', '1']
    const { code, out } = await runHive(args, { uid, env: { HOME: directory } })
    const report: { ok: boolean; checks: Check[] } = JSON.parse(out)
    assert.equal(code, report.ok ? 0 : 1)
    assert.equal(report.ok, !report.checks.some(({ status }) => status === 'fail'))
    const statuses = Object.fromEntries(report.checks.map(({ name, status }) => [name, status]))
    for (const name of ['node', 'claude', 'bubblewrap', 'sandbox', 'git', 'setpriv', 'nsenter', 'config', 'state']) {
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
    assert.match(out, /\n✓ {2}daemon {7}0\.1\.0 serves, pid 4242\n/)
  })

  test('starts a real sandbox', async () => {
    assert.deepEqual((await checkSandbox(uid)).status, 'ok')
    assert.equal((await checkBubblewrap()).status, 'ok')
  })

  test('names Ubuntu’s rule, and the other settings that forbid user namespaces', () => {
    const explain = (settings: Record<string, string>) => explainSandbox('bwrap: no', (path) => settings[path])
    const ubuntu = explain({ '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1' })
    assert.match(ubuntu.why, /AppArmor.*Ubuntu/)
    assert.match(ubuntu.fix, /^sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0/)
    assert.match(explain({ '/proc/sys/kernel/unprivileged_userns_clone': '0' }).fix, /unprivileged_userns_clone=1/)
    assert.match(explain({ '/proc/sys/user/max_user_namespaces': '0' }).fix, /max_user_namespaces/)
    assert.match(explain({}).why, /bwrap: no/)
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

  test('tells where limits cannot be set', () => {
    const root = join(directory, 'cgroup')
    mkdirSync(join(root, 'memory'), { recursive: true })
    assert.match(checkLimits(root).detail, /cgroup v1: cannot write to .*cpu, .*pids$/)
    writeFileSync(join(root, 'cgroup.controllers'), 'memory')
    assert.equal(checkLimits(root).status, 'ok')
  })
})

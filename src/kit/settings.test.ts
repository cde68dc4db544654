import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { HiveError } from '../wire/errors.ts'
import { hivePaths, loadSettings, SettingsFile } from './settings.ts'

const USER = 1000
const ROOT = 0

const isRefusal =
  (message: RegExp, hint = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof HiveError)
    assert.equal(error.code, 'bad_input')
    assert.match(error.message, message)
    assert.match(error.hint ?? '-', hint)
    return true
  }

describe('where a hive lives', () => {
  test('a flag before the environment before the usual place', () => {
    const env = { HIVE_STATE_DIR: '/of/env', HIVE_RUN_DIR: '/run/of/env', HOME: '/home/u' }
    assert.deepEqual(hivePaths({ stateDir: '/of/flag', runDir: '/run/of/flag' }, env, USER), {
      stateDir: '/of/flag',
      runDir: '/run/of/flag',
    })
    assert.deepEqual(hivePaths({}, env, USER), { stateDir: '/of/env', runDir: '/run/of/env' })
    assert.deepEqual(hivePaths({}, { HOME: '/home/u' }, USER), {
      stateDir: '/home/u/.local/state/hyperhive',
      runDir: '/home/u/.local/state/hyperhive/run',
    })
    assert.deepEqual(hivePaths({}, {}, ROOT), { stateDir: '/var/lib/hyperhive', runDir: '/run/hyperhive' })
  })

  test('the places of XDG, for an ordinary user', () => {
    const env = { HOME: '/home/u', XDG_STATE_HOME: '/xdg/state', XDG_RUNTIME_DIR: '/run/user/1000' }
    assert.deepEqual(hivePaths({}, env, USER), {
      stateDir: '/xdg/state/hyperhive',
      runDir: '/run/user/1000/hyperhive',
    })
  })

  test('another state directory is another hive, with sockets of its own', () => {
    const env = { HIVE_STATE_DIR: '/other', XDG_RUNTIME_DIR: '/run/user/1000' }
    assert.equal(hivePaths({}, env, USER).runDir, '/other/run')
    assert.equal(hivePaths({ stateDir: '/flag' }, {}, ROOT).runDir, '/flag/run')
  })

  test('empty variables and relative ones of XDG count as not set: never the current directory', () => {
    const usual = { stateDir: '/home/u/.local/state/hyperhive', runDir: '/home/u/.local/state/hyperhive/run' }
    const empty = { HOME: '/home/u', HIVE_STATE_DIR: '', HIVE_RUN_DIR: '', XDG_STATE_HOME: '', XDG_RUNTIME_DIR: '' }
    assert.deepEqual(hivePaths({}, empty, USER), usual)
    const relative = { HOME: '/home/u', XDG_STATE_HOME: 'state', XDG_RUNTIME_DIR: './run' }
    assert.deepEqual(hivePaths({}, relative, USER), usual)
    assert.equal(hivePaths({}, { HOME: '' }, USER).stateDir, '/.local/state/hyperhive')
  })

  test('an empty flag is an error that names it', () => {
    assert.throws(() => hivePaths({ stateDir: '' }, {}, USER), isRefusal(/--state-dir is empty/))
    assert.throws(() => hivePaths({ runDir: '' }, {}, USER), isRefusal(/--run-dir is empty/))
    assert.throws(() => loadSettings({ config: '' }, {}, USER), isRefusal(/--config is empty/))
  })
})

describe('settings', () => {
  const directory = mkdtempSync(join(tmpdir(), 'settings-'))
  after(() => rmSync(directory, { recursive: true }))
  const write = (value: unknown, name = 'hive.json') => {
    const path = join(directory, name)
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
    return path
  }
  const load = (file: unknown, flags = {}, env = {}) => loadSettings({ config: write(file), ...flags }, env, USER)

  test('a flag before the file before what the command prefers before the default', () => {
    const config = write({ port: 7001, model: 'opus', agentEnv: { A: 'file', B: 'file' } })
    const flags = { config, port: 7002, agentEnv: { B: 'flag' } }
    const settings = loadSettings(flags, {}, USER, { model: 'sonnet', logLevel: 'warn' })
    assert.deepEqual(
      [settings.port, settings.model, settings.logLevel, settings.maxHops, settings.agentEnv],
      [7002, 'opus', 'warn', 16, { A: 'file', B: 'flag' }],
    )
  })

  test('the file is found by flag, HIVE_CONFIG and XDG, in this order', () => {
    const home = join(directory, 'hyperhive')
    mkdirSync(home)
    write({ port: 7001 }, 'hyperhive/hive.json')
    const env = { XDG_CONFIG_HOME: directory, HIVE_CONFIG: write({ port: 7002 }, 'env.json') }
    const config = write({ port: 7003 }, 'flag.json')
    assert.equal(loadSettings({ config }, env, USER).port, 7003)
    assert.equal(loadSettings({}, env, USER).port, 7002)
    assert.equal(loadSettings({}, { ...env, HIVE_CONFIG: '' }, USER).port, 7001)
    assert.equal(loadSettings({}, { XDG_CONFIG_HOME: 'relative', HOME: '/nonexistent' }, USER).port, 7000)
  })

  test('a file that was named must be readable, and the reason is said', () => {
    const config = join(directory, 'no.json')
    assert.throws(() => loadSettings({ config }, {}, USER), isRefusal(/cannot read .*no\.json: ENOENT/))
    assert.throws(() => loadSettings({ config: directory }, {}, USER), isRefusal(/cannot read .*EISDIR/))
  })

  test('an unknown key, a wrong value and what is no JSON are refused by name', () => {
    assert.throws(() => load({ prot: 1 }), isRefusal(/hive\.json is wrong(.|\n)*prot/))
    assert.throws(() => load({ port: 'x' }), isRefusal(/port/))
    assert.throws(() => load('{'), isRefusal(/is not JSON/))
    assert.throws(() => load([]), isRefusal(/is wrong/))
  })

  test('no time is longer than a timer can be', () => {
    for (const name of ['keepWarmSeconds', 'hangSeconds', 'silentSeconds'] as const) {
      assert.equal(load({ [name]: 2_000_000 })[name], 2_000_000)
      assert.ok(SettingsFile.parse({ [name]: 2_000_000 })[name] * 1000 < 2 ** 31)
      assert.throws(() => load({ [name]: 3_000_000 }), isRefusal(new RegExp(name)))
    }
  })

  test('a base URL has scheme and host; the hint is the right spelling, without a password', () => {
    for (const url of ['http://127.0.0.1:8080', 'https://api.example.com/v1', '']) {
      assert.equal(load({}, { agentEnv: { ANTHROPIC_BASE_URL: url } }).agentEnv.ANTHROPIC_BASE_URL, url)
    }
    for (const [url, hint] of [
      ['127.0.0.1:8080', /^ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:8080$/],
      ['localhost:8080', /^ANTHROPIC_BASE_URL=http:\/\/localhost:8080$/],
      ['user:s3cret@api.example.com/v1', /^ANTHROPIC_BASE_URL=https:\/\/api\.example\.com\/v1$/],
      ['ftp://example.com', /^ANTHROPIC_BASE_URL=https:\/\/…$/],
      ['a b', /^ANTHROPIC_BASE_URL=https:\/\/…$/],
    ] as const) {
      assert.throws(() => load({ agentEnv: { ANTHROPIC_BASE_URL: url } }), isRefusal(/no http or https URL/, hint), url)
    }
  })
})

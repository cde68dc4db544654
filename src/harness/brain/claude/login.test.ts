import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { describeLogin, readLogin } from './login.ts'

const NOW = Date.UTC(2026, 10, 21)
const HOUR = 3_600_000
const OAUTH = {
  accessToken: 'sk-ant-oat01-test',
  refreshToken: 'sk-ant-ort01-test',
  expiresAt: NOW + HOUR,
  scopes: ['user:inference', 'user:profile'],
  subscriptionType: 'max',
}
/** What the engine says of itself when the file above is there, and when there is none: measured. */
const SUBSCRIBED = { subscriptionType: 'Claude Max', apiProvider: 'firstParty' }
const NONE = { tokenSource: 'none', apiProvider: 'firstParty' }

describe('the login of an engine', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'login-'))
  })
  after(() => rmSync(directory, { recursive: true }))
  const file = () => join(directory, '.credentials.json')
  afterEach(() => rmSync(file(), { recursive: true, force: true }))
  const put = (oauth: unknown) => writeFileSync(file(), JSON.stringify({ claudeAiOauth: oauth }))
  const stored = () => readLogin(directory, {}).stored

  test('is named after what the engine uses', () => {
    const described = (account: Parameters<typeof describeLogin>[0]) => describeLogin(account, { is: 'missing' }, NOW)
    const key = { apiKeySource: 'ANTHROPIC_API_KEY' }
    assert.deepEqual(described({ ...NONE, ...key }), { ok: true, detail: 'ANTHROPIC_API_KEY' })
    assert.deepEqual(described({ tokenSource: 'CLAUDE_CODE_OAUTH_TOKEN', ...key }).detail, 'ANTHROPIC_API_KEY')
    assert.deepEqual(described({ tokenSource: 'CLAUDE_CODE_OAUTH_TOKEN' }).detail, 'CLAUDE_CODE_OAUTH_TOKEN')
    assert.deepEqual(described({ ...NONE, apiKeySource: '/login managed key' }).detail, '/login managed key')
    assert.deepEqual(described({ apiProvider: 'bedrock' }), { ok: true, detail: 'bedrock' })
    assert.deepEqual(described(NONE), { ok: false, detail: 'Claude Code has no login' })
  })

  test('of a subscription is good while it can be renewed, and until it expires otherwise', () => {
    put(OAUTH)
    assert.deepEqual(describeLogin(SUBSCRIBED, stored(), NOW), { ok: true, detail: 'Claude Max' })
    assert.equal(describeLogin(SUBSCRIBED, stored(), NOW + 2 * HOUR).ok, true, 'the engine renews it')
    for (const refreshToken of [undefined, null, '']) {
      put({ ...OAUTH, refreshToken })
      assert.equal(describeLogin(SUBSCRIBED, stored(), NOW).ok, true)
      assert.deepEqual(describeLogin(SUBSCRIBED, stored(), NOW + 2 * HOUR), {
        ok: false,
        detail: 'the login of Claude Code expired at 2026-11-21T01:00:00.000Z, and nothing renews it',
      })
    }
    const key = { ...SUBSCRIBED, apiKeySource: 'ANTHROPIC_API_KEY' }
    assert.equal(describeLogin(key, stored(), NOW + 2 * HOUR).ok, true, 'a key goes before it')
  })

  test('that is lacking is told with why', () => {
    const lack = () => describeLogin(NONE, stored(), NOW).detail
    assert.equal(lack(), 'Claude Code has no login')
    for (const text of ['{}', '{"claudeAiOauth":null}', '{"claudeAiOauth":{"accessToken":"","expiresAt":0}}']) {
      writeFileSync(file(), text)
      assert.equal(lack(), 'Claude Code was logged out')
    }
    put({ ...OAUTH, scopes: [] })
    assert.match(lack(), /scopes lack user:inference/)
    writeFileSync(file(), '{"claudeAiOauth":{"accessToken":"sk-ant-oat01-half')
    assert.equal(lack(), 'the login of Claude Code cannot be read: it is no JSON')
    rmSync(file())
    mkdirSync(file())
    assert.match(lack(), /cannot be read: it is no file/)
    rmSync(file(), { recursive: true })
    execFileSync('mkfifo', [file()])
    assert.match(lack(), /cannot be read: it is no file/, 'and nobody waits for what comes out of a pipe')
  })

  test('has another name when it, or the environment, is another, and gives nothing away', () => {
    const ids = [readLogin(directory, {}).id]
    put(OAUTH)
    const { id } = readLogin(directory, {})
    ids.push(
      id,
      readLogin(directory, { ANTHROPIC_API_KEY: 'a' }).id,
      readLogin(directory, { ANTHROPIC_API_KEY: 'b' }).id,
    )
    writeFileSync(join(directory, '.claude.json'), '{"primaryApiKey":"sk-ant-console"}')
    ids.push(readLogin(directory, {}).id)
    assert.equal(new Set(ids).size, ids.length)
    writeFileSync(join(directory, '.claude.json'), '{"numStartups":7}')
    assert.equal(readLogin(directory, {}).id, id, 'whatever else the engine notes')
    assert.match(id, /^[0-9a-f]{32}$/)
  })
})

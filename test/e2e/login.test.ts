import assert from 'node:assert/strict'
import { chownSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { obey } from '../../src/demo/scenarios/obey.ts'
import { startTestHive, type TestHive } from '../hive.ts'

const HOUR = 3_600_000

/** What the manager was told of the logins of an agent, in order. */
async function newsOf(hive: TestHive, agent: string): Promise<string[]> {
  const { messages } = await (await hive.host()).messages({ agent: 'manager', limit: 1000 })
  const events = messages.filter(({ from }) => from === 'system').map(({ body }) => JSON.parse(body))
  return events.filter((event) => event.agent === agent && /log/.test(event.event)).map(({ event }) => event)
}

/** A login as `claude auth login` leaves it, the agent's own. */
function logIn(hive: TestHive, agent: string, more: object = {}): string {
  const directory = join(hive.stateDir, 'credentials', agent)
  const claudeAiOauth = {
    accessToken: `sk-ant-oat01-${agent}`,
    refreshToken: 'sk-ant-ort01-test',
    expiresAt: Date.now() + 8 * HOUR,
    scopes: ['user:inference', 'user:profile'],
    subscriptionType: 'max',
    ...more,
  }
  const file = join(directory, '.credentials.json')
  writeFileSync(`${file}.new`, JSON.stringify({ claudeAiOauth }), { mode: 0o600 })
  const { uid, gid } = statSync(directory)
  chownSync(`${file}.new`, uid, gid)
  renameSync(`${file}.new`, file)
  return file
}

describe('an agent without a login', { timeout: 180_000 }, () => {
  let hive: TestHive
  let waiting: number
  before(async () => {
    hive = await startTestHive({ agentEnv: {} })
    const host = await hive.host()
    await host.spawn({ name: 'alice' })
    waiting = (await host.send({ to: 'alice', body: 'say at last' })).id
  })
  after(() => hive[Symbol.asyncDispose]())
  /** Everything that the harness has started. */
  const children = () => {
    const { harness } = hive.processes('alice')
    return readFileSync(`/proc/${harness}/task/${harness}/children`, 'utf8').trim().split(' ')
  }

  test('takes no turn, says so, and the manager hears it once', async () => {
    const { detail } = await hive.agent('alice', ({ state }) => state === 'needs_login')
    assert.match(detail ?? '', /Claude Code has no login/)
    assert.equal((await hive.message(waiting, () => true)).state, 'queued')
    assert.deepEqual(hive.model.requests, [])
    assert.deepEqual(await newsOf(hive, 'alice'), ['needs_login'])
    await hive.kill()
    await hive.start()
    await hive.agent('alice', ({ state }) => state === 'needs_login')
    assert.deepEqual(await newsOf(hive, 'alice'), ['needs_login'], 'also when the daemon was killed')
  })

  test('is logged in by the real program: the page, a wrong code, and back out', async () => {
    const host = await hive.host()
    const before = children()
    const { flow } = await host.login({ agent: 'alice' })
    assert.equal(flow?.state, 'waiting', flow?.problem ?? '')
    assert.match(flow?.url ?? '', /^https:\/\/claude\.com\/cai\/oauth\/authorize\?/)
    assert.equal(children().length, before.length + 1)
    const { flow: refused } = await host.login_code({ agent: 'alice', code: 'wrong' })
    assert.deepEqual([refused?.state, refused?.url], ['waiting', flow?.url])
    assert.match(refused?.problem ?? '', /full code/)
    const { flow: cancelled } = await host.login_cancel({ agent: 'alice' })
    assert.equal(cancelled?.state, 'cancelled')
    assert.deepEqual(children(), before)
    const { events } = await host.events({ agent: 'alice', limit: 500 })
    assert.doesNotMatch(JSON.stringify(events), /oauth\/authorize|"wrong"/)
  })

  test('is told why the provider could not be reached', async () => {
    const host = await hive.host()
    await host.login({ agent: 'alice', method: 'console' })
    const { flow } = await host.login_code({ agent: 'alice', code: 'made#up' })
    assert.equal(flow?.state, 'failed')
    assert.match(flow?.problem ?? '', /^Couldn't log in: /)
    await assert.rejects(host.login_code({ agent: 'alice', code: 'made#up' }), { code: 'conflict' })
  })

  test('goes on by itself once there is one, and the manager hears it once', async () => {
    const { harness } = hive.processes('alice')
    logIn(hive, 'alice')
    const done = await hive.message(waiting, ({ state }) => state === 'done')
    assert.deepEqual([done.attempt, hive.processes('alice').harness], [1, harness])
    assert.deepEqual(await newsOf(hive, 'alice'), ['needs_login', 'logged_in'])
    await hive.kill()
    await hive.start()
    assert.equal((await hive.tell('alice', 'say again')).state, 'done')
    assert.deepEqual(await newsOf(hive, 'alice'), ['needs_login', 'logged_in'])
  })

  test('waits again when it was logged out, or when its login has expired', async () => {
    logIn(hive, 'alice', { accessToken: '', refreshToken: '', expiresAt: 0 })
    const out = await hive.agent('alice', ({ state }) => state === 'needs_login')
    assert.equal(out.detail, 'Claude Code was logged out')
    logIn(hive, 'alice', { refreshToken: null, expiresAt: Date.now() - HOUR })
    await hive.agent('alice', ({ detail }) => /expired at .* nothing renews it/.test(detail ?? ''))
    logIn(hive, 'alice')
    await hive.agent('alice', ({ state }) => state === 'idle')
    assert.deepEqual((await newsOf(hive, 'alice')).slice(2), ['needs_login', 'logged_in'])
  })

  test('is logged out by the operator, whether the provider hears of it or not', async () => {
    const host = await hive.host()
    assert.match((await host.logout({ agent: 'alice' })).text, /^Logged out/)
    const { detail } = await hive.agent('alice', ({ state }) => state === 'needs_login')
    assert.equal(detail, 'Claude Code has no login')
  })

  test('is not started with a login that is another’s too', async () => {
    const host = await hive.host()
    const mine = logIn(hive, 'alice')
    await host.spawn({ name: 'bob' })
    await host.kill({ agent: 'bob' })
    const theirs = join(hive.stateDir, 'credentials', 'bob', '.credentials.json')
    linkSync(mine, theirs)
    await assert.rejects(host.start({ agent: 'bob' }), { code: 'conflict', message: /login of bob is not its own/ })
    const { errors } = await host.status({})
    assert.ok(errors.some(({ where }) => where === 'login of bob'))
    rmSync(theirs)
    await host.start({ agent: 'bob' })
    assert.ok(!(await host.status({})).errors.some(({ where }) => where === 'login of bob'))
  })
})

describe('an agent whose login is refused', { timeout: 180_000 }, () => {
  test('is tried once more, waits, also when daemon and agent start again, and goes on with another', async () => {
    const agentEnv = { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-old' }
    await using hive = await startTestHive({ agentEnv })
    await (await hive.host()).spawn({ name: 'alice' })
    assert.equal((await hive.tell('alice', 'say hello')).state, 'done')
    assert.deepEqual(await newsOf(hive, 'alice'), [], 'nobody is told that all is well')

    hive.model.setScenarios({
      default: obey,
      alice: { about: 'refuses', rules: [{ do: [{ fault: 'unauthorized' }] }] },
    })
    const { id } = await (await hive.host()).send({ to: 'alice', body: 'say at last' })
    await hive.agent('alice', ({ parked }) => parked?.reason === 'login')
    assert.equal((await hive.message(id, () => true)).attempt, 2)
    const requests = () => hive.model.requests.filter(({ agent }) => agent === 'alice').length
    const asked = requests()
    await hive.kill()
    await hive.start()
    await hive.agent('alice', ({ state }) => state === 'needs_login')
    await (await hive.host()).restart({ agent: 'alice' })
    await hive.agent('alice', ({ state }) => state === 'needs_login')
    assert.deepEqual(await newsOf(hive, 'alice'), ['needs_login'])
    const { flow } = await (await hive.host()).login({ agent: 'alice' })
    assert.deepEqual(
      [flow?.state, flow?.problem],
      ['failed', 'CLAUDE_CODE_OAUTH_TOKEN is in its environment, and goes before any login'],
    )
    assert.equal(requests(), asked)

    hive.model.setScenarios({ default: obey })
    await hive.stop()
    await hive.start({ agentEnv: { CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-new' } })
    assert.equal((await hive.message(id, ({ state }) => state === 'done')).attempt, 3)
    assert.deepEqual(await newsOf(hive, 'alice'), ['needs_login', 'logged_in'])
  })
})

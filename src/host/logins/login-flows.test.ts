import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Command } from '../../wire/agent-ops.ts'
import { HiveError } from '../../wire/errors.ts'
import { LoginFlows } from './login-flows.ts'

const URL =
  'https://claude.com/cai/oauth/authorize?redirect_uri=https%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback'
const WAITING = { state: 'waiting', url: URL, output: 'Opening', problem: null } as const

/** What harnesses are told stands in `commands`; a test answers as one of them. */
function openFlows(limitsMs = { url: 10_000, code: 10_000, end: 10_000 }) {
  const commands: Command[] = []
  let isOffline = false
  const flows = new LoginFlows({
    command: (agent, command) => {
      if (isOffline) throw new HiveError('conflict', `${agent} is offline`)
      commands.push(command)
    },
    limitsMs,
  })
  return {
    flows,
    commands,
    goOffline: () => {
      isOffline = true
    },
    async begin() {
      const started = flows.start('alice', 'claudeai')
      flows.report('alice', WAITING)
      return started
    },
  }
}

describe('the logins that the operator makes', { timeout: 30_000 }, () => {
  test('go from the URL over a refused code to the end', async () => {
    const { flows, commands, begin } = openFlows()
    assert.deepEqual(await begin().then((flow) => [flow?.state, flow?.url]), ['waiting', URL])
    const refused = flows.code('alice', 'bad')
    assert.equal(flows.find('alice')?.state, 'checking')
    // What was said before the code arrived is no answer to it.
    flows.report('alice', WAITING)
    flows.report('alice', { ...WAITING, state: 'checking' })
    flows.report('alice', { ...WAITING, problem: 'the # is missing' })
    assert.deepEqual(await refused.then((flow) => [flow?.state, flow?.problem]), ['waiting', 'the # is missing'])
    const done = flows.code('alice', 'good#1')
    flows.report('alice', { ...WAITING, state: 'done' })
    assert.deepEqual(await done.then((flow) => [flow?.state, flow?.url]), ['done', null])
    assert.deepEqual(commands, [
      { do: 'login_start', method: 'claudeai' },
      { do: 'login_code', code: 'bad' },
      { do: 'login_code', code: 'good#1' },
    ])
  })

  test('are one at a time: who comes second takes part', async () => {
    const { flows, commands, begin } = openFlows()
    await begin()
    assert.equal((await flows.start('alice', 'claudeai'))?.url, URL)
    await assert.rejects(flows.start('alice', 'console'), { code: 'conflict' })
    assert.equal(commands.length, 1)
  })

  test('can be followed, and versions grow', async () => {
    const { flows, begin } = openFlows()
    const flow = await begin()
    const next = flows.follow('alice', flow?.version, 10_000, new AbortController().signal)
    flows.report('alice', { ...WAITING, problem: 'x' })
    assert.equal((await next)?.problem, 'x')
    assert.ok(((await next)?.version ?? 0) > (flow?.version ?? 0))
  })

  test('send the operator to no page of the agent’s choice', async () => {
    const { flows, commands } = openFlows()
    const started = flows.start('alice', 'claudeai')
    flows.report('alice', { ...WAITING, url: 'https://claude.com.evil.example/oauth/authorize' })
    const flow = await started
    assert.deepEqual([flow?.state, flow?.url], ['failed', null])
    assert.match(flow?.problem ?? '', /cannot be trusted: claude\.com\.evil\.example is no host/)
    assert.deepEqual(commands.at(-1), { do: 'login_cancel' })
    const again = flows.start('alice', 'claudeai')
    flows.report('alice', {
      ...WAITING,
      output: 'or go to https://evil.example/x now',
      problem: 'see HTTP://evil.example',
    })
    assert.deepEqual([(await again)?.output, (await again)?.problem], ['or go to [link] now', 'see [link]'])
  })

  test('are never begun by an agent', () => {
    const { flows, commands } = openFlows()
    flows.report('alice', WAITING)
    assert.equal(flows.find('alice'), null)
    assert.deepEqual(commands, [{ do: 'login_cancel' }], 'nobody asked for it')
    flows.report('alice', { ...WAITING, state: 'failed' })
    assert.equal(commands.length, 1)
  })

  test('are told to end once, however often a harness reports one that nobody wants', () => {
    const { flows, commands } = openFlows()
    for (let n = 0; n < 1_000; n += 1) flows.report('alice', WAITING)
    assert.deepEqual(commands, [{ do: 'login_cancel' }])
  })

  test('show no address in the words of an agent', async () => {
    const { flows, begin } = openFlows()
    await begin()
    const problem = 'moved to claude.com-login.example/oauth, or ssh://x/y, not to 3.5 or notes.md'
    flows.report('alice', { ...WAITING, problem })
    assert.equal(flows.find('alice')?.problem, 'moved to [link] or [link] not to 3.5 or notes.md')
  })

  test('end when they are given up, and when the agent is started again', async () => {
    const { flows, begin } = openFlows()
    await begin()
    const cancelled = flows.cancel('alice')
    flows.report('alice', { ...WAITING, state: 'cancelled', url: null })
    assert.equal((await cancelled)?.state, 'cancelled')
    await begin()
    flows.endedWithHarness('alice')
    assert.deepEqual(
      [flows.find('alice')?.state, flows.find('alice')?.problem],
      ['failed', 'the agent was started again'],
    )
    await assert.rejects(flows.code('alice', 'x'), { code: 'conflict', hint: 'hive login alice begins one' })
    assert.equal((await flows.cancel('alice'))?.state, 'failed', 'there is nothing to cancel')
    assert.equal(await flows.cancel('bob'), null)
  })

  test('say so when nothing comes', async () => {
    const { flows, commands, goOffline } = openFlows({ url: 1, code: 1, end: 1 })
    await assert.rejects(flows.start('alice', 'claudeai'), { code: 'timeout' })
    assert.equal(flows.find('alice')?.state, 'failed')
    assert.deepEqual(commands.at(-1), { do: 'login_cancel' })
    goOffline()
    await assert.rejects(flows.start('alice', 'claudeai'), { code: 'conflict' })
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Deed } from '../audit-log.ts'
import { LoginFlows } from '../logins/login-flows.ts'
import { type HostLoginDeps, loginHandlers } from './host-logins.ts'

const URL =
  'https://claude.com/cai/oauth/authorize?redirect_uri=https%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback'
const WAITING = { state: 'waiting', url: URL, output: '', problem: null } as const

test('what is tried with a login stands in the audit, also what fails, but no code', { timeout: 10_000 }, async () => {
  const deeds: Deed[] = []
  const logins = new LoginFlows({ command: () => {} })
  const handlers = loginHandlers({
    registry: { get: () => ({}) as ReturnType<HostLoginDeps['registry']['get']> },
    logins,
    audit: { note: async (deed) => void deeds.push(deed) },
    runtime: { exec: () => Promise.reject(new Error('nothing is run here')) },
    about: { network: 'none' },
  })
  const call = { signal: new AbortController().signal, connection: {} }
  const begun = handlers.login({ agent: 'alice', method: 'claudeai' }, call)
  logins.report('alice', WAITING)
  await begun
  const refused = handlers.login_code({ agent: 'alice', code: 's3cret#1' }, call)
  logins.report('alice', { ...WAITING, problem: 'wrong' })
  await refused
  const cancelled = handlers.login_cancel({ agent: 'alice' }, call)
  logins.report('alice', { ...WAITING, state: 'cancelled', url: null })
  await cancelled
  await assert.rejects(async () => handlers.login_code({ agent: 'alice', code: 's3cret#2' }, call), {
    code: 'conflict',
  })
  assert.deepEqual(
    deeds.map(({ verb, agent, detail }) => [verb, agent, detail]),
    [
      ['login', 'alice', { method: 'claudeai', outcome: 'waiting' }],
      ['login_code', 'alice', { outcome: 'waiting' }],
      ['login_cancel', 'alice', { outcome: 'cancelled' }],
      ['login_code', 'alice', { outcome: 'conflict' }],
    ],
  )
})

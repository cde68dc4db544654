import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameLogin } from './login.ts'

test('names the login that the engine says it has', () => {
  assert.equal(nameLogin({ tokenSource: 'none', apiKeySource: 'ANTHROPIC_API_KEY' }), 'ANTHROPIC_API_KEY')
  assert.equal(nameLogin({ tokenSource: 'CLAUDE_CODE_OAUTH_TOKEN' }), 'CLAUDE_CODE_OAUTH_TOKEN')
  assert.equal(nameLogin({ subscriptionType: 'Claude Max' }), 'Claude Max')
  assert.equal(nameLogin({ tokenSource: 'none' }), undefined)
})
